"""Writes cleaned rows, and beside them what the stages that see all rows are to know."""

from pathlib import Path

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.index import index_row
from data_pipeline.quality.config import QualityConfig
from data_pipeline.shard_files import json_line, shard_path, whole_file
from data_pipeline.steps.write_rejected import WriteRejected


class WriteClean(PipelineStep):
    """A line of `clean/` is a document, the same line of `index/` its `IndexRow`.

    Customers' ids and addresses, the `keys`, are in the index alone, and hashed.
    """

    name = "Clean rows"
    type = "WRITER"

    def __init__(self, work: Path, quality: QualityConfig) -> None:
        super().__init__()
        self.work = work
        self.quality = quality

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        with (
            whole_file(shard_path(self.work / "clean", rank)) as clean,
            whole_file(shard_path(self.work / "index", rank)) as index,
        ):
            for document in data:
                metadata = {key: value for key, value in document.metadata.items() if key != "keys"}
                clean.write(json_line({"text": "", "id": document.id, "metadata": metadata}))
                index.write(json_line(index_row(document, self.quality).as_dict()))
                yield document


class WriteUnfit(WriteRejected):
    """Rows that a filter of the first level rejects, and in `unfit_index/` their `IndexRow` and reason."""

    def __init__(self, work: Path, quality: QualityConfig) -> None:
        super().__init__(work / "unfit", "level1")
        self.quality = quality
        self.index_folder = work / "unfit_index"

    @property
    def folders(self) -> list[Path]:
        return [self.folder, self.index_folder]

    def _append(self, document: Document) -> None:
        super()._append(document)
        row = index_row(document, self.quality).as_dict() | {"reason": document.metadata["filter_reason"]}
        self._files[1].write(json_line(row))
