"""Where a text holds personal data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` is of `entity_type`, as sure as `score` (0 to 1) says."""

    start: int
    end: int
    entity_type: str
    score: float


class Detector(Protocol):
    """Finds names, places, organisations and addresses by a model."""

    entity_types: frozenset[str]

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, by start, none overlapping another. A text's spans depend on it alone."""
        ...
