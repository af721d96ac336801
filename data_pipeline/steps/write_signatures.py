"""Writes what near-duplicates are found by."""

from pathlib import Path

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.level1.records import RecordWriter


class WriteSignatures(PipelineStep):
    """A task's part of `signatures/`: a record for every document, in order."""

    name = "Signatures"
    type = "DEDUP"

    def __init__(self, work: Path) -> None:
        super().__init__()
        self.work = work

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        with RecordWriter(self.work, rank) as records:
            for document in data:
                with self.track_time():
                    records.add(document.metadata["messages"])
                yield document
