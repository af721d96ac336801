"""Reads rows; one that can't be read becomes a document too, so that a filter can reject it with a reason."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.inputs import InputFile
from data_pipeline.rows import RawRow, RowBuffer, UnreadableRest, read_rows
from data_pipeline.shard_files import write_counts

MAX_DEPTH = 100


class ReadRows(PipelineStep):
    """Yield a document for every row of the task's shard, in input order, and count them.

    `text` is the row as it lay in the file. The metadata say where that was and hold the parsed `row`, or a
    `defect` (reason, detail) with `raw_bytes` or `raw_file` where the row is no text or too long.
    """

    name = "Rows"
    type = "READER"

    def __init__(self, shards: Sequence[Sequence[InputFile]], max_line_bytes: int, work: Path) -> None:
        super().__init__()
        self.shards = shards
        self.max_line_bytes = max_line_bytes
        self.work = work

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        counts = Counter(rows_read=0, files_cut_short=0)
        for file in self.shards[rank]:
            for document in self._read(file, counts):
                counts["rows_read"] += 1
                self.stat_update("rows")
                yield document
        write_counts(self.work / "read", rank, counts)

    def _read(self, file: InputFile, counts: Counter[str]) -> DocumentsPipeline:
        buffer = RowBuffer(self.max_line_bytes, self.work / "long_rows")
        try:
            for row in read_rows(file.path, buffer):
                yield self._document(file, row)
        except UnreadableRest as error:
            counts["files_cut_short"] += 1
            rest = next(chain(buffer.take(), [RawRow(buffer.line, b"")]))
            document = self._document(file, rest)
            document.metadata["defect"] = (error.reason, f"{error}; the rest of the file was not read")
            yield document

    def _document(self, file: InputFile, raw: RawRow) -> Document:
        metadata: dict[str, Any] = {
            "source": file.source,
            "type": file.type,
            "file": file.name,
            "line": raw.line,
            "holdout": file.holdout,
        }
        document = Document(text="", id=f"{file.source}/{file.name}:{raw.line}", metadata=metadata)
        if isinstance(raw.data, Path):
            metadata["raw_file"] = raw.data
            metadata["defect"] = ("line_too_long", f"longer than max_line_bytes, {self.max_line_bytes}")
            return document
        try:
            document.text = raw.data.decode("utf-8")
            metadata["row"] = parse(document.text)
        except UnicodeDecodeError as error:
            metadata["raw_bytes"] = raw.data
            metadata["defect"] = ("invalid_utf8", f"{error.reason} at byte {error.start} of the row")
        except RowDefect as error:
            metadata["defect"] = (error.reason, str(error))
        return document


class RowDefect(ValueError):
    """A row that is no JSON object. `reason` is stable; the text names no content."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def parse(text: str) -> dict[str, Any]:
    """Parse a JSON object that can be written again as JSON and as UTF-8. Raises RowDefect."""
    try:
        row = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise RowDefect("broken_json", f"{error.msg} at character {error.pos} of the row") from None
    except RecursionError:
        raise RowDefect("broken_json", "nested too deeply") from None
    except ValueError as error:
        raise RowDefect("broken_json", str(error)) from None
    if not isinstance(row, dict):
        raise RowDefect("not_an_object", f"a {type(row).__name__} instead of an object")
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(row) > MAX_DEPTH:
        raise RowDefect("broken_json", f"nested more than {MAX_DEPTH} levels deep")
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise RowDefect("bad_unicode", "half of a surrogate pair: it can't be written as UTF-8") from None
    return row


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        nested = [item for item in level if isinstance(item, (dict, list))]
        level = [child for item in nested for child in (item.values() if isinstance(item, dict) else item)]
    return depth
