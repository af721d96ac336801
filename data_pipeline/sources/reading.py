"""From an input to its rows, whatever it is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from data_pipeline.rows import RowBuffer, read_rows
from data_pipeline.sources import articles, csv_rows, hub, json_rows, parquet_rows
from data_pipeline.sources.columns import columns_read
from data_pipeline.sources.config import (
    ArticlesSource,
    HuggingFaceSource,
    TableSource,
    columns_of,
)
from data_pipeline.sources.row import Row, parsed
from data_pipeline.sources.turns import join_turns

if TYPE_CHECKING:
    from data_pipeline.inputs import InputFile

_LIST_KEYS = {"intercom": "conversations", "table": "rows"}
"""Where a .json document that is an object has its rows; under `tickets` for other types."""


def read(file: "InputFile", buffer: RowBuffer) -> Iterator[Row]:
    """Yield the rows of an input. Raises UnreadableRest in the middle of it, as `read_rows` does."""
    source = file.settings
    if isinstance(source, ArticlesSource):
        return articles.read(file.path, file.name, buffer)
    if isinstance(source, HuggingFaceSource):
        rows = hub.read(source, file.revision, buffer)
    elif isinstance(source, TableSource):
        rows = _table_rows(file, source, buffer)
    else:
        rows = _json(file, buffer)
    columns = columns_of(source)
    if columns is None or columns.conversation is None:
        return rows
    return join_turns(rows, columns.conversation, buffer.max_bytes, buffer.spool)


def _json(file: "InputFile", buffer: RowBuffer) -> Iterator[Row]:
    for raw in read_rows(file.path, buffer, _LIST_KEYS.get(file.type, "tickets"), file.lines):
        yield parsed(raw, json_rows.parse, buffer.max_bytes)


def _table_rows(file: "InputFile", source: TableSource, buffer: RowBuffer) -> Iterator[Row]:
    names = columns_read(source.columns, source.labels)
    path, name = file.path, file.path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return parquet_rows.read(path, buffer, names)
    if name.endswith((".csv", ".tsv")):
        return csv_rows.read(path, buffer, names, source.encoding, source.delimiter_of(path))
    return _json(file, buffer)
