"""What Level 1 decides on the rows of `clean/`, kept in `level1/`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_pipeline.shard_files import read_json_lines, shard_path

FOLDER = "level1"


@dataclass(frozen=True, slots=True)
class Level1Decision:
    """A line of `level1/`, for the same line of `clean/`.

    Attributes:
        reason: why the row is left out; None where it stays.
        cluster: id of the row that stands for this one's cluster of near-duplicates; None where it is alone.
        repeated_answer: its main reply comes suspiciously often in data from outside.
    """

    reason: str | None = None
    detail: str | None = None
    cluster: str | None = None
    repeated_answer: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_level1(work: Path, rank: int) -> Iterator[Level1Decision]:
    """The decisions on a task's part of the rows."""
    for line in read_json_lines(shard_path(work / FOLDER, rank)):
        yield Level1Decision(**line)
