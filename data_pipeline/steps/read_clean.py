"""Reads cleaned rows again."""

from collections.abc import Iterator
from pathlib import Path

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.decision import read_decisions
from data_pipeline.level1.decision import read_level1
from data_pipeline.shard_files import read_json_lines, shard_path


class ReadKept(PipelineStep):
    """Yield the documents of a task's part of `clean/` that the first level kept."""

    name = "Rows of level 1"
    type = "READER"

    def __init__(self, work: Path) -> None:
        super().__init__()
        self.work = work

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        yield from data or ()
        decisions = read_level1(self.work, rank)
        for document, decision in zip(_clean(self.work, rank), decisions, strict=True):
            if decision.reason is None:
                document.metadata["repeated_answer"] = decision.repeated_answer
                yield document


class ReadPlanned(PipelineStep):
    """Yield all documents of a task's part of `clean/`, each with the plan's `decision`."""

    name = "Rows with the plan"
    type = "READER"

    def __init__(self, work: Path) -> None:
        super().__init__()
        self.work = work

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        yield from data or ()
        decisions = read_decisions(self.work, rank)
        for document, decision in zip(_clean(self.work, rank), decisions, strict=True):
            document.metadata["decision"] = decision
            yield document


def _clean(work: Path, rank: int) -> Iterator[Document]:
    for row in read_json_lines(shard_path(work / "clean", rank)):
        yield Document(**row)
