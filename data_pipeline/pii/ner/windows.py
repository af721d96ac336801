"""Long texts in windows, for models that read only so much at once. Nothing is cut off silently."""

from collections.abc import Callable, Sequence

from data_pipeline.pii.spans import Span


def find_in_windows(text: str, find: Callable[[str], Sequence[Span]], size: int, margin: int) -> list[Span]:
    """What `find` finds in a text of any length, by start, none overlapping another.

    A text of at most `size` characters is searched whole. A longer one goes in windows of that size, which
    overlap by `margin` on both sides and end between words where they can. A span counts in the window
    whose inner part it starts in, so one at the edge is read with what surrounds it.
    """
    if len(text) <= size:
        return without_overlaps(find(text))
    found: list[Span] = []
    start = 0
    while start < len(text):
        end = (
            len(text)
            if len(text) - start <= size - 2 * margin
            else _between_words(text, start, size - 2 * margin)
        )
        low, high = max(0, start - margin), min(len(text), end + margin)
        found += [
            Span(span.start + low, span.end + low, span.entity_type, span.score)
            for span in find(text[low:high])
            if start <= span.start + low < end
        ]
        start = end
    return without_overlaps(found)


def _between_words(text: str, start: int, length: int) -> int:
    """The end of a window: behind the last white space of its second half, or in the middle of a word."""
    end = start + length
    for at in range(end, start + length // 2, -1):
        if text[at - 1].isspace():
            return at
    return end


def without_overlaps(spans: Sequence[Span]) -> list[Span]:
    """Spans by start; of two that overlap the longer one stays, of equal ones the surer."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, -s.score, s.start, s.entity_type)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)
