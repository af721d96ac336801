"""A text with the spans that a detector should find in it."""

from dataclasses import dataclass

from data_pipeline.pii.spans import Span


@dataclass(frozen=True, slots=True)
class Labelled:
    """`spans` are in order and do not overlap."""

    text: str
    spans: tuple[Span, ...] = ()
