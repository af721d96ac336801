"""Ranges of a text that do not overlap, looked up by bisection: texts may hold thousands of them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable


class Ranges:
    """A growing set of ranges `(start, end)`, none overlapping another."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges = sorted(ranges)

    def add(self, start: int, end: int) -> None:
        """Add a range that overlaps none of the others."""
        insort(self._ranges, (start, end))

    def touched_by(self, start: int, end: int) -> list[tuple[int, int]]:
        """The ranges that share a character with `start` to `end`, in order."""
        first = bisect_right(self._ranges, (start, start))
        if first and self._ranges[first - 1][1] > start:
            first -= 1
        return self._ranges[first : bisect_left(self._ranges, (end, end), lo=first)]
