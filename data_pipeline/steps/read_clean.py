"""Reads cleaned rows again, each with the decision on it."""

from pathlib import Path

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.plan import Decision
from data_pipeline.shard_files import read_json_lines, shard_path


class ReadClean(PipelineStep):
    """Yield the documents of a task's part of `clean/`, with the line of `plan/` as `decision`."""

    name = "Clean rows"
    type = "READER"

    def __init__(self, work: Path) -> None:
        super().__init__()
        self.work = work

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        yield from data or ()
        clean = read_json_lines(shard_path(self.work / "clean", rank))
        plan = read_json_lines(shard_path(self.work / "plan", rank))
        for row, decision in zip(clean, plan, strict=True):
            document = Document(**row)
            document.metadata["decision"] = Decision(**decision)
            yield document
