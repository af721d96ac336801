"""From the bytes of a file to its rows, whatever is wrong with them, in bounded memory.

A row is a line of JSON Lines, or an element of the list that a .json document holds. Rows are cut out, not
parsed: a broken one does no harm to its neighbours.
"""

import json
import math
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

CHUNK = 1 << 18
_BOM = b"\xef\xbb\xbf"


class UnreadableRest(Exception):
    """The file can't be read any further. `reason` is a rejection reason."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class RawRow:
    """A row as it lay in the file, from `line` on (counted from 1).

    `data` is a file, to be removed by the reader of it, when the row is longer than allowed.
    """

    line: int
    data: bytes | Path


@dataclass(frozen=True)
class Lines:
    """Whole lines of a file: its bytes from `start` up to `end`, of which the first is in line `line`."""

    start: int
    end: int
    line: int


class RowBuffer:
    """Collects the bytes of one row after another, on disk once a row is longer than `max_bytes`.

    `line` is where the row begins.
    """

    def __init__(self, max_bytes: int, spool: Path) -> None:
        self.max_bytes = max_bytes
        self.spool = spool
        self.line = 1
        self._clear()

    def _clear(self) -> None:
        self._parts: list[bytes] = []
        self._bytes = self._newlines = 0
        self._file: IO[bytes] | None = None

    def add(self, part: bytes) -> None:
        """Append to the row."""
        self._bytes += len(part)
        self._newlines += part.count(b"\n")
        self._parts.append(part)
        if self._bytes > self.max_bytes:
            if self._file is None:
                self.spool.mkdir(parents=True, exist_ok=True)
                self._file = tempfile.NamedTemporaryFile(dir=self.spool, delete=False)  # noqa: SIM115
            self._file.writelines(self._parts)
            self._parts.clear()

    def take(self, *, as_is: bool = False) -> Iterator[RawRow]:
        """Yield the row without the white space around it, and begin the next one; nothing for a blank row.

        With `as_is`, every row is yielded, blank ones too, with all its white space.
        """
        line, data, file = self.line, b"".join(self._parts), self._file
        self.line += self._newlines
        self._clear()
        if file is not None:
            file.close()
            yield RawRow(line, Path(file.name))
        elif as_is:
            yield RawRow(line, data)
        elif row := data.strip():
            blank = len(data) - len(data.lstrip())
            yield RawRow(line + data.count(b"\n", 0, blank), row)


def read_rows(
    path: Path, buffer: RowBuffer, list_key: str = "tickets", lines: Lines | None = None
) -> Iterator[RawRow]:
    """Yield the rows of a file; in a .json document that is an object, they are the list at `list_key`.

    Of a file with a row a line, `lines` may be the only ones to read.

    Raises UnreadableRest in the middle of it; what was read of an unfinished row is left in `buffer`.
    """
    if lines is not None:
        buffer.line = lines.line
    chunks = read_chunks(path) if lines is None else _chunks(path, lines.start, lines.end)
    head = next(chunks, b"")
    head = head if lines is not None and lines.start else head.removeprefix(_BOM)
    start = _rows_start(head, list_key) if path.name.removesuffix(".gz").endswith(".json") else None
    if start is None:
        yield from _lines(chain([head], chunks), buffer)
    else:
        buffer.line += head.count(b"\n", 0, start)
        yield from _elements(chain([head[start:]], chunks), buffer, opening=head[:start])


def read_chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, decompressed where its name ends in .gz. Raises UnreadableRest."""
    return _decompressed(path) if path.name.endswith(".gz") else _chunks(path)


def _rows_start(head: bytes, list_key: str = "tickets") -> int | None:
    """Where the rows of a .json file begin, judged by its first chunk; None when it holds a row a line."""
    if opening := re.match(rb"\s*\[", head):
        return opening.end()
    try:
        first = json.loads(head.lstrip().partition(b"\n")[0])
    except (ValueError, RecursionError):
        first = None
    if isinstance(first, dict) and not isinstance(first.get(list_key), list):
        return None
    if opening := re.search(rf'"{list_key}"\s*:\s*\['.encode(), head):
        return opening.end()
    return 0 if re.match(rb"\s*\{\s*\n", head) else None


def _lines(chunks: Iterator[bytes], buffer: RowBuffer) -> Iterator[RawRow]:
    for chunk in chunks:
        *ended, unfinished = chunk.split(b"\n")
        for part in ended:
            buffer.add(part)
            yield from buffer.take()
            buffer.line += 1
        buffer.add(unfinished)
    yield from buffer.take()


_TOKEN = re.compile(rb'\\.|["{}\[\],]', re.DOTALL)


def _elements(chunks: Iterator[bytes], buffer: RowBuffer, opening: bytes) -> Iterator[RawRow]:
    """Cut into its elements what follows a document's `opening`: up to its list's bracket, or nothing."""
    depth, in_string, in_list = 0, False, bool(opening)
    chunks = _escapes_whole(chunks)
    for chunk in chunks:
        start = 0
        for match in _TOKEN.finditer(chunk):
            token, end = match[0], match.end()
            if token == b'"':
                in_string = not in_string
            elif in_string or token[:1] == b"\\":
                continue
            elif token in b"{[":
                depth += 1
            elif token == b"," and depth == 0 and in_list:
                buffer.add(chunk[start : end - 1])
                start = end
                yield from buffer.take()
            elif token == b"]" and depth == 0 and in_list:
                buffer.add(chunk[start : end - 1])
                yield from buffer.take()
                yield from _closing(opening, chain([chunk[end:]], chunks), buffer)
                return
            elif token in b"}]" and depth > 0:
                depth -= 1
                if depth == 0 and not in_list:
                    buffer.add(chunk[start:end])
                    start = end
                    yield from buffer.take()
        buffer.add(chunk[start:])
    if in_list:
        raise UnreadableRest("broken_json", "the document ends before its list of rows does")
    yield from buffer.take()


def _closing(opening: bytes, rest: Iterator[bytes], buffer: RowBuffer) -> Iterator[RawRow]:
    """What follows the list of rows may close the document, but is no place for more rows."""
    buffer.add(b"]")
    for chunk in rest:
        buffer.add(chunk)
    for row in buffer.take():
        if isinstance(row.data, Path):
            yield row
            return
        try:
            json.loads(opening + row.data)
        except (ValueError, RecursionError):
            buffer.add(row.data)
            raise UnreadableRest("broken_json", "something else follows the list of rows") from None


def _escapes_whole(chunks: Iterator[bytes]) -> Iterator[bytes]:
    r"""The same bytes, cut so that no chunk but the last ends in a backslash."""
    kept = b""
    for chunk in chunks:
        kept += chunk
        if not kept.endswith(b"\\"):
            yield kept
            kept = b""
    yield kept


def _chunks(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = math.inf if end is None else end - start
        while chunk := file.read(int(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


def _decompressed(path: Path) -> Iterator[bytes]:
    """Like reading from `gzip.open`, but all that lies before a defect comes out."""
    member, unfinished = zlib.decompressobj(wbits=31), False
    for compressed in _chunks(path):
        while compressed:
            try:
                data = member.decompress(compressed, CHUNK)
            except zlib.error as error:
                raise UnreadableRest("corrupt_gzip", str(error)) from None
            yield data
            compressed, unfinished = member.unconsumed_tail, not member.eof
            if member.eof:
                compressed = member.unused_data.lstrip(b"\0")
                member = zlib.decompressobj(wbits=31)
    if unfinished:
        yield member.flush()
        raise UnreadableRest("corrupt_gzip", "the compressed data ends too early")
