"""Rows of Parquet files, and values that JSON has no form for."""

import json
import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from data_pipeline.rows import RawRow, RowBuffer, UnreadableRest
from data_pipeline.sources.json_rows import parse
from data_pipeline.sources.row import Row, parsed

_BATCH = 256


def read(path: Path, buffer: RowBuffer, columns: Sequence[str]) -> Iterator[Row]:
    """Yield rows with `columns` alone; `line` is the row's number.

    Memory holds a batch of rows and the row group that it comes from. Raises UnreadableRest: missing_column,
    corrupt_parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Without the buffer ahead, columns are read as they are needed.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for name in columns:
                if name not in file.schema_arrow.names:
                    raise UnreadableRest("missing_column", f"there is no column '{name}'")
            for batch in file.iter_batches(_BATCH, columns=list(columns), use_threads=False):
                for values in _dicts(batch):
                    yield json_row(values, buffer)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableRest("corrupt_parquet", type(error).__name__) from None


def json_row(values: dict[str, Any] | None, buffer: RowBuffer) -> Row:
    """A row from a reader that has no text of it: its JSON stands for it. None is a row with invalid text."""
    line = buffer.line
    if values is None:
        buffer.line += 1
        return Row(RawRow(line, b""), defect=("invalid_utf8", "a value is no UTF-8"))
    buffer.add(json.dumps(jsonable(values), ensure_ascii=False).encode("utf-8", "surrogatepass"))
    [raw] = buffer.take(as_is=True)
    buffer.line = line + 1
    return parsed(raw, parse, buffer.max_bytes)


def jsonable(value: Any) -> Any:
    """A value as JSON can hold it: times in ISO 8601, numbers that are none as null, bytes as text."""
    match value:
        case dict():
            return {str(key): jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Decimal():
            return jsonable(float(value))
        case bytes():
            return value.decode("utf-8", "surrogateescape")
    return f"<{type(value).__name__}>"


def _dicts(batch: Any) -> Iterator[dict[str, Any] | None]:
    """The rows of a batch; one by one where a text is no UTF-8, so that it costs its own row only."""
    try:
        yield from batch.to_pylist()
        return
    except UnicodeDecodeError:
        pass
    for index in range(batch.num_rows):
        try:
            yield batch.slice(index, 1).to_pylist()[0]
        except UnicodeDecodeError:
            yield None
