"""Decides which rows repeat others: a step that sees all rows, and so runs as a single task."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.index import IndexRow, read_index
from data_pipeline.level1.config import Level1, NearDuplicates
from data_pipeline.level1.decision import FOLDER, Level1Decision
from data_pipeline.quality.config import Poisoning
from data_pipeline.quality.poisoning import repeated_answers
from data_pipeline.shard_files import json_line, shard_path, whole_file

_DETAILS = {
    "duplicate": "says the same as",
    "near_duplicate": "says nearly the same as",
    "in_holdout": "says nearly the same as",
}


class DecideLevel1(PipelineStep):
    """Reasons: duplicate, near_duplicate, in_holdout. Writes `level1/`, a decision a row of `clean/`."""

    name = "Repeated rows"
    type = "DEDUP"

    def __init__(self, work: Path, shards: int, config: Level1 | None, poisoning: Poisoning) -> None:
        super().__init__()
        self.work = work
        self.shards = shards
        self.config = config
        self.poisoning = poisoning

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        yield from data or ()
        counts = [sum(1 for _ in read_index(self.work, shard)) for shard in range(self.shards)]
        decisions = self._near(self.config.near_duplicates) if self.config else self._exact()
        repeated = repeated_answers(lambda: (row.answer_key for row in self._rows()), self.poisoning)
        for shard, count in enumerate(counts):
            with whole_file(shard_path(self.work / FOLDER, shard)) as file:
                pairs = zip(islice(decisions, count), read_index(self.work, shard), strict=True)
                for decision, row in pairs:
                    marked = replace(decision, repeated_answer=row.answer_key in repeated)
                    file.write(json_line(marked.as_dict()))

    def _rows(self) -> Iterator[IndexRow]:
        for shard in range(self.shards):
            yield from read_index(self.work, shard)

    def _near(self, config: NearDuplicates) -> Iterator[Level1Decision]:
        from data_pipeline.level1.cluster import cluster

        ids, worth, held = [], [], []
        for row in self._rows():
            ids.append(row.id)
            worth.append(row.worth)
            held.append(row.holdout is not None)
        clusters = cluster(self.work, self.shards, worth, held, config)
        for kept, reason in zip(clusters.kept.tolist(), clusters.reasons, strict=True):
            detail = f"{_DETAILS[reason]} {ids[kept]}" if reason else None
            yield Level1Decision(reason, detail, ids[kept] if kept >= 0 else None)

    def _exact(self) -> Iterator[Level1Decision]:
        """Of rows that say the same, the best stays: one of a holdout, the one of most worth, the first."""
        best: dict[str, tuple[bool, float, str]] = {}
        for row in self._rows():
            rank = (row.holdout is not None, row.worth, row.id)
            if row.digest not in best or rank[:2] > best[row.digest][:2]:
                best[row.digest] = rank
        taken: set[str] = set()
        for row in self._rows():
            held, worth, kept = best[row.digest]
            if (row.holdout is not None, row.worth) == (held, worth) and row.digest not in taken:
                taken.add(row.digest)
                yield Level1Decision()
            else:
                reason = "in_holdout" if held and row.holdout is None else "duplicate"
                yield Level1Decision(reason, f"{_DETAILS['duplicate']} {kept}")
