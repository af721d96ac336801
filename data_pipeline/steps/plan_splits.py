"""Plans the splits: the one step that sees all rows, and so runs as a single task."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.config import Split
from data_pipeline.plan import IndexRow, Plan
from data_pipeline.shard_files import json_line, read_json_lines, shard_path, whole_file, write_counts


class PlanSplits(PipelineStep):
    """Reads `index/` twice and writes `plan/`, a decision for each row of `clean/`."""

    name = "Plan of the splits"
    type = "SPLIT"

    def __init__(self, work: Path, shards: int, split: Split, seed: int) -> None:
        super().__init__()
        self.work = work
        self.shards = shards
        self.split = split
        self.seed = seed

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        yield from data or ()
        plan = Plan(self.split, self.seed)
        for shard in range(self.shards):
            for row in self._index(shard):
                plan.add(row)
        for shard in range(self.shards):
            with whole_file(shard_path(self.work / "plan", shard)) as file:
                for row in self._index(shard):
                    file.write(json_line(asdict(plan.decide(row))))
        write_counts(self.work / "plan", rank, {"moved_to_test": plan.moved_to_test})

    def _index(self, shard: int) -> Iterator[IndexRow]:
        for row in read_json_lines(shard_path(self.work / "index", shard)):
            yield IndexRow(**row)
