"""Bytes to the records of a CSV file (RFC 4180), each line in exactly one of them, in bounded memory.

Python's csv module has no way back from a quotation mark that is never closed: it takes the rest of the file
for one field. Here such a line is a broken record of its own, and reading goes on with the line after it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.rows import RawRow, RowBuffer

_QUOTE = b'"'


@dataclass(frozen=True)
class Record:
    """`fields`, without their quotation marks, or why there are none. A record too long has neither."""

    raw: RawRow
    fields: list[bytes] | None = None
    error: str | None = None


def read_lines(chunks: Iterator[bytes], buffer: RowBuffer) -> Iterator[RawRow]:
    """Yield every line without its newline, blank ones too."""
    for chunk in chunks:
        *ended, unfinished = chunk.split(b"\n")
        for part in ended:
            buffer.add(part)
            yield from buffer.take(as_is=True)
            buffer.line += 1
        buffer.add(unfinished)
    yield from buffer.take(as_is=True)


def read_records(lines: Iterator[RawRow], delimiter: bytes, max_bytes: int) -> Iterator[Record]:
    """Join lines into records. Blank lines, and those that hold nothing but delimiters, are none.

    Behind a broken record, a line with a quotation mark inside of a plain field is taken for the rest of it,
    and so for broken too; elsewhere such a mark is text (`a 12" single`).
    """
    reader = _Reader(lines, delimiter, max_bytes)
    broken = False
    while (line := reader.next_line()) is not None:
        record, odd = reader.record(line)
        if record.fields is not None and not any(field.strip() for field in record.fields):
            continue
        if record.fields is not None and odd and broken:
            record = Record(line, error="the rest of a broken record")
        broken = record.error is not None
        yield record


class _Reader:
    def __init__(self, lines: Iterator[RawRow], delimiter: bytes, max_bytes: int) -> None:
        self._lines = lines
        self._again: deque[RawRow] = deque()
        self._delimiter = delimiter
        self._max_bytes = max_bytes

    def next_line(self) -> RawRow | None:
        return self._again.popleft() if self._again else next(self._lines, None)

    def record(self, first: RawRow) -> tuple[Record, bool]:
        """The record that begins with a line, and whether a plain field has a quotation mark in it."""
        if isinstance(first.data, Path):
            return Record(first), False
        if _QUOTE not in first.data:
            return Record(first, first.data.removesuffix(b"\r").split(self._delimiter)), False
        fields = _Fields(self._delimiter)
        taken, size, error = [first], len(first.data), fields.add(first.data)
        while error is None and fields.is_open:
            line = self.next_line()
            if line is None or isinstance(line.data, Path) or size + len(line.data) > self._max_bytes:
                self._again.extendleft([line] if line else [])
                error = "a quotation mark is never closed"
                break
            taken.append(line)
            size += 1 + len(line.data)
            error = fields.add(line.data)
        if error is not None:
            self._again.extendleft(reversed(taken[1:]))
            return Record(first, error=error), False
        raw = b"\n".join(line.data for line in taken if isinstance(line.data, bytes))
        return Record(RawRow(first.line, raw), fields.done), fields.odd


class _Fields:
    """The fields of one record, line by line."""

    def __init__(self, delimiter: bytes) -> None:
        self.done: list[bytes] = []
        self.odd = False
        self._delimiter = delimiter
        self._open: list[bytes] | None = None

    @property
    def is_open(self) -> bool:
        """A quoted field goes on in the next line."""
        return self._open is not None

    def add(self, line: bytes) -> str | None:
        """Take the next line; returns what is wrong with it."""
        at = 0
        if self._open is not None:
            self._open.append(b"\n")
        while True:
            if self._open is None and line.startswith(_QUOTE, at):
                self._open, at = [], at + 1
            if self._open is not None:
                at = self._quoted(line, at, self._open)
                if at < 0:
                    return None
                self.done.append(b"".join(self._open))
                self._open = None
                if line[at:] in (b"", b"\r"):
                    return None
                if not line.startswith(self._delimiter, at):
                    return "text between a closing quotation mark and the end of its field"
            else:
                end = line.find(self._delimiter, at)
                field = line[at:].removesuffix(b"\r") if end < 0 else line[at:end]
                self.done.append(field)
                self.odd |= _QUOTE in field
                if end < 0:
                    return None
                at = end
            at += 1

    def _quoted(self, line: bytes, at: int, parts: list[bytes]) -> int:
        """Add to `parts` what is quoted, and return where it ends, or -1 when that is in another line."""
        while True:
            end = line.find(_QUOTE, at)
            if end < 0:
                parts.append(line[at:])
                return -1
            parts.append(line[at:end])
            if not line.startswith(_QUOTE, end + 1):
                return end + 1
            parts.append(_QUOTE)
            at = end + 2
