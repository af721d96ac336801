"""Decides on every row: the last step that sees all rows, and so runs as a single task."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.config import BuildConfig
from data_pipeline.decision import Decision
from data_pipeline.schema import Quality
from data_pipeline.shard_files import json_line, shard_path, sum_counts, whole_file

if TYPE_CHECKING:
    import pandas as pd

    from data_pipeline.split import SplitReport


class SelectRows(PipelineStep):
    """Reads `index/`, `level1/`, `scores/` and `vectors/`; writes `plan/`.

    That is a decision for each row of `clean/`, `columns.parquet` with what is known of every conversation,
    and `report.jsonl`, the counts of what was left out and of the split.
    """

    name = "Selection"
    type = "SPLIT"

    def __init__(self, config: BuildConfig, shards: int, work: Path) -> None:
        super().__init__()
        self.config = config
        self.shards = shards
        self.work = work

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        from data_pipeline.frame import columns, read_frame, read_texts, read_vectors
        from data_pipeline.selection import choose

        yield from data or ()
        frame = read_frame(self.work, self.shards)
        vectors = read_vectors(self.work, self.shards)
        held_out = sum_counts(self.work / "read")["rows_held_out"]
        rows_read = sum_counts(self.work / "read")["rows_read"] - held_out

        def texts_of(places: Sequence[int]) -> list[str]:
            return read_texts(self.work, self.shards, places)

        report = choose(frame, vectors, texts_of, self.config, rows_read)
        self._write_plan(frame)
        (self.work / "plan").mkdir(exist_ok=True)
        with whole_file(self.work / "plan" / "columns.parquet") as file:
            columns(frame, self.work, self.shards).to_parquet(file, index=False)
        with whole_file(self.work / "plan" / "report.jsonl") as file:
            file.write(json_line(_report(frame, report)))

    def _write_plan(self, frame: "pd.DataFrame") -> None:
        decisions = _decisions(frame)
        for shard, rows in (
            frame.groupby("shard", sort=True).size().reindex(range(self.shards), fill_value=0).items()
        ):
            with whole_file(shard_path(self.work / "plan", int(shard))) as file:
                for _ in range(rows):
                    file.write(json_line(next(decisions).as_dict()))


def _decisions(frame: "pd.DataFrame") -> Iterator[Decision]:
    tags = ("topic", "difficulty", "sentiment", "cluster")
    fields = ["id", "outcome", "level", "reason", "detail", "group"]
    plain = frame[[*fields, *tags, "quality"]].astype(object)
    for row in plain.where(plain.notna(), None).to_dict("records"):
        quality = row["quality"] and {
            key: value for key, value in row["quality"].items() if key in Quality.model_fields
        }
        yield Decision(
            **{key: row[key] for key in fields}, tags={**{tag: row[tag] for tag in tags}, "quality": quality}
        )


def _report(frame: "pd.DataFrame", split: "SplitReport") -> dict[str, Any]:
    rejected: dict[str, Counter[str]] = {}
    for level, reason in frame.loc[frame["reason"].notna(), ["level", "reason"]].itertuples(index=False):
        rejected.setdefault(level, Counter())[reason] += 1
    told = asdict(split)
    del told["rows"]
    return {"rejected": {level: dict(found) for level, found in sorted(rejected.items())}, "split": told}
