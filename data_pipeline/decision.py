"""What becomes of a row, and where it is kept between the stages that decide and those that act."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_pipeline.schema import Level
from data_pipeline.shard_files import read_json_lines, shard_path


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of `plan/`, for the same line of `clean/`.

    Attributes:
        outcome: a split, a holdout's name, or "rejected"; then `level`, `reason` and `detail` say why.
        group: of rows that share a customer or a thread, and so a split.
        tags: topic, difficulty and so on, as the dataset has them in `meta`.
    """

    id: str
    outcome: str
    level: Level | None = None
    reason: str | None = None
    detail: str | None = None
    group: str | None = None
    tags: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_decisions(work: Path, rank: int) -> Iterator[Decision]:
    """The plan for a task's part of the rows."""
    for line in read_json_lines(shard_path(work / "plan", rank)):
        yield Decision(**line)
