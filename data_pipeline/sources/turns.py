"""Tables with one turn a row: the rows of a conversation become one row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_pipeline.rows import RawRow, RowBuffer, UnreadableRest
from data_pipeline.sources.conversation import key_text
from data_pipeline.sources.row import Row

_REMEMBERED = 100_000
"""Conversations that are known again when they go on later. All of them would be more than memory holds."""


def join_turns(rows: Iterator[Row], column: str, max_bytes: int, spool: Path) -> Iterator[Row]:
    """Yield a row for each run of rows with the same value of `column`: its data are `{"turns": [...]}`.

    Rows with a defect come out on their own. Reasons of defects: no_conversation (a row without the value),
    missing_turn (a row with a defect stands among the turns), not_contiguous (the conversation has been there
    before), line_too_long.
    """
    group = _Group(max_bytes, spool)
    seen: dict[str, None] = {}
    try:
        for row in rows:
            key = key_text(row.data.get(column)) if row.data is not None else None
            if key is None:
                yield row if row.defect else Row(row.raw, defect=("no_conversation", f"'{column}' is empty"))
                group.gap = group.gap or row.raw.line
                continue
            if key != group.key:
                yield from group.take(seen)
                group.key = key
            group.add(row)
    except UnreadableRest:
        yield from group.take(seen)
        raise
    yield from group.take(seen)


class _Group:
    def __init__(self, max_bytes: int, spool: Path) -> None:
        self._max_bytes, self._spool = max_bytes, spool
        self._start()

    def _start(self) -> None:
        self.key: str | None = None
        self.gap: int | None = None
        self._missing: int | None = None
        self._buffer = RowBuffer(self._max_bytes, self._spool)
        self._turns: list[dict[str, Any]] = []
        self._bytes = 0

    def add(self, row: Row) -> None:
        """Take the next turn. What lies in a gap before it belongs to the conversation too."""
        assert row.data is not None and isinstance(row.raw.data, bytes)
        text = row.raw.data
        if self._bytes == 0:
            self._buffer.line = row.raw.line
        else:
            text = b"\n" + text
            self._missing = self._missing or self.gap
        self.gap = None
        self._buffer.add(text)
        self._bytes += len(text)
        if self._bytes <= self._max_bytes:  # beyond, the buffer has put the row on disk, and it is a defect
            self._turns.append(row.data)

    def take(self, seen: dict[str, None]) -> Iterator[Row]:
        """Yield the conversation, and begin the next one."""
        if self.key is None:
            self.gap = None
            return
        defect = None
        if self.key in seen:
            defect = ("not_contiguous", "rows of its conversation stand apart: sort the table")
        elif self._missing is not None:
            defect = ("missing_turn", f"one of its turns could not be read: see line {self._missing}")
        seen[self.key] = None
        if len(seen) > _REMEMBERED:
            del seen[next(iter(seen))]
        for raw in self._buffer.take(as_is=True):
            yield self._row(raw, defect)
        self._start()

    def _row(self, raw: RawRow, defect: tuple[str, str] | None) -> Row:
        if isinstance(raw.data, Path):
            return Row(raw, defect=("line_too_long", f"longer than max_line_bytes, {self._max_bytes}"))
        return Row(raw, defect=defect) if defect else Row(raw, {"turns": self._turns})
