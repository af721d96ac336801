"""Rows of CSV files: any delimiter and encoding, one bad line is one bad row."""

import codecs
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from data_pipeline.rows import RawRow, RowBuffer, UnreadableRest, read_chunks
from data_pipeline.sources.csv_records import Record, read_lines, read_records
from data_pipeline.sources.row import Row, RowDefect, parsed

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_KEEP = "data_pipeline.keep_bytes"


def read(
    path: Path, buffer: RowBuffer, columns: Sequence[str], encoding: str, delimiter: str
) -> Iterator[Row]:
    """Yield the rows below a header, which has to hold each of `columns` once.

    Reasons of defects: broken_csv, ragged_row (more or fewer fields than the header has), invalid_utf8,
    line_too_long. Raises UnreadableRest: missing_column, corrupt_gzip.
    """
    lines = read_lines(_utf8(read_chunks(path), encoding), buffer)
    records = read_records(lines, delimiter.encode(), buffer.max_bytes)
    header: list[str] | None = None
    for record in records:
        if header is None:
            header = _header(record, columns)
        else:
            yield _row(record, header, buffer.max_bytes)


def _header(record: Record, columns: Sequence[str]) -> list[str]:
    names = [field.decode("utf-8", "replace").strip() for field in record.fields or ()]
    for name in columns:
        if names.count(name) != 1:
            many = "twice" if name in names else "not there"
            raise UnreadableRest("missing_column", f"the column '{name}' is {many} in the first line")
    return names


def _row(record: Record, header: list[str], max_bytes: int) -> Row:
    fields = record.fields

    def parse(text: str) -> dict[str, str]:
        if fields is None:
            raise RowDefect("broken_csv", record.error or "")
        if len(fields) != len(header):
            raise RowDefect("ragged_row", f"{len(fields)} fields instead of {len(header)}")
        return dict(zip(header, map(bytes.decode, fields), strict=True))

    return parsed(RawRow(record.raw.line, record.raw.data), parse, max_bytes)


def _utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The same text in UTF-8. Bytes that are no text of `encoding` become such that are no UTF-8."""
    head = next(chunks, b"")
    for mark, marked in _MARKS.items():
        if head.startswith(mark):
            head, encoding = head.removeprefix(mark), marked
            break
    chunks = chain([head], chunks)
    if codecs.lookup(encoding).name == "utf-8":
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)(_KEEP)
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    """As 'surrogateescape' does, but for all bytes: multi-byte encodings also stumble over ASCII."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_KEEP, _keep_bytes)
