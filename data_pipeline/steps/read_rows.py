"""Reads rows; one that can't be read becomes a document too, so that a filter can reject it with a reason."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.inputs import InputFile
from data_pipeline.rows import RawRow, RowBuffer, UnreadableRest
from data_pipeline.shard_files import write_counts
from data_pipeline.sources.reading import read
from data_pipeline.sources.row import Row


class ReadRows(PipelineStep):
    """Yield a document for every row of the task's shard, in input order, and count them.

    `text` is the row as it lay in the file. The metadata say where that was and hold the parsed `row` with
    the `settings` of its source, or a `defect` (reason, detail) with `raw_bytes` or `raw_file` where the row
    is no text or too long.
    """

    name = "Rows"
    type = "READER"

    def __init__(self, shards: Sequence[Sequence[InputFile]], max_line_bytes: int, work: Path) -> None:
        super().__init__()
        self.shards = shards
        self.max_line_bytes = max_line_bytes
        self.work = work

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        counts = Counter(rows_read=0, rows_held_out=0, files_cut_short=0)
        for file in self.shards[rank]:
            for document in self._read(file, counts):
                counts["rows_read"] += 1
                counts["rows_held_out"] += file.holdout is not None
                self.stat_update("rows")
                yield document
        write_counts(self.work / "read", rank, counts)

    def _read(self, file: InputFile, counts: Counter[str]) -> DocumentsPipeline:
        buffer = RowBuffer(self.max_line_bytes, self.work / "long_rows")
        try:
            for row in read(file, buffer):
                yield _document(file, row)
        except UnreadableRest as error:
            counts["files_cut_short"] += 1
            rest = next(chain(buffer.take(), [RawRow(buffer.line, b"")]))
            yield _document(
                file, Row(rest, defect=(error.reason, f"{error}; the rest of the file was not read"))
            )


def _document(file: InputFile, row: Row) -> Document:
    metadata: dict[str, Any] = {
        "source": file.source,
        "type": file.type,
        "origin": file.settings.origin,
        "file": file.name,
        "line": row.raw.line,
        "holdout": file.holdout,
    }
    document = Document(text="", id=f"{file.source}/{file.name}:{row.raw.line}", metadata=metadata)
    if row.defect is None:
        metadata |= {"row": row.data, "settings": file.settings}
    else:
        metadata["defect"] = row.defect
    if isinstance(row.raw.data, Path):
        metadata["raw_file"] = row.raw.data
        return document
    try:
        document.text = row.raw.data.decode("utf-8")
    except UnicodeDecodeError:
        metadata["raw_bytes"] = row.raw.data
    return document
