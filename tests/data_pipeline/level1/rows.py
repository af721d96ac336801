"""Rows, written and clustered, for the tests of Level 1."""

from collections.abc import Sequence
from pathlib import Path

from common.chat.messages import Message
from data_pipeline.level1.cluster import Clusters, cluster
from data_pipeline.level1.config import NearDuplicates
from data_pipeline.level1.records import RecordWriter

Row = tuple[str, str]
"""What the customer says, and the answer."""


def messages(user: str, assistant: str = "") -> list[Message]:
    said = [Message(role="user", content=user)]
    return [*said, Message(role="assistant", content=assistant)] if assistant else said


def find(
    work: Path,
    rows: Sequence[Row],
    *,
    ranks: Sequence[float] | None = None,
    held_out: Sequence[bool] | None = None,
    shards: int = 1,
    config: NearDuplicates | None = None,
) -> Clusters:
    """Cluster the rows, laid out in as many shards."""
    size = -(-len(rows) // shards)
    for shard in range(shards):
        with RecordWriter(work, shard) as records:
            for user, assistant in rows[shard * size : (shard + 1) * size]:
                records.add(messages(user, assistant))
    return cluster(
        work,
        shards,
        ranks if ranks is not None else [0.0] * len(rows),
        held_out if held_out is not None else [False] * len(rows),
        config or NearDuplicates(),
    )
