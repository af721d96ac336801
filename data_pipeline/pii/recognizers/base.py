"""What finds one kind of personal data by rules."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from data_pipeline.pii.spans import Span

CHECKED = 1.0
"""A checksum or a form that nothing else has."""
STRONG = 0.9
"""A form that is seldom something else, or a form with a word before it that names it."""
LIKELY = 0.7
"""A form that may be something else."""


class Recognizer(ABC):
    """Finds spans by rules, in time that grows linearly with the text."""

    entity_types: ClassVar[tuple[str, ...]]
    needs_digit: ClassVar[bool] = False
    """Whether a text without a digit can be skipped: one test then stands for many recognisers."""

    @abstractmethod
    def find(self, text: str) -> Iterator[Span]:
        """Yield spans, by start; they may overlap those of other recognisers."""


def holds_any(text: str, hints: tuple[str, ...]) -> bool:
    """Whether one of `hints` is in the text: a test that costs far less than the search it may spare."""
    # any() with a generator takes three times as long.
    for hint in hints:  # noqa: SIM110
        if hint in text:
            return True
    return False
