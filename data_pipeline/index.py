"""What the stages that see all rows know of one: facts and digests, never its text."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from datatrove.data import Document

from common.chat.messages import Message
from common.provenance import digest
from data_pipeline.level1.length import conversation_length
from data_pipeline.quality.config import QualityConfig
from data_pipeline.quality.dialogue import dialogue_of
from data_pipeline.quality.outcome import csat, resolution
from data_pipeline.quality.poisoning import AnswerKey, answer_key
from data_pipeline.shard_files import read_json_lines, shard_path

_SHORT = 32
_UNKNOWN = 0.5


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A line of `index/`, for the same line of `clean/`.

    Attributes:
        digest: of what is said, whatever the system prompt: rows that share it are repetitions.
        keys: hashes of customer, e-mail address and thread, which rows of one group share.
        window, answer: month and digest of the main reply, to see one that suddenly comes again and again.
        worth: which of several near-duplicates stays: the largest.
        characters: of the conversation, Chinese and Japanese ones counted double.
    """

    id: str
    digest: str
    keys: list[str]
    holdout: str | None
    source: str
    type: str
    origin: str
    language: str | None
    characters: int
    turns: int
    worth: float
    window: str
    answer: str
    pii: dict[str, int] = field(default_factory=dict)
    labels: list[dict[str, Any]] = field(default_factory=list)

    @property
    def answer_key(self) -> AnswerKey:
        return AnswerKey(self.source, self.window, self.answer)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def index_row(document: Document, quality: QualityConfig) -> IndexRow:
    """The index row of a cleaned document."""
    metadata = document.metadata
    said = [message for message in metadata["messages"] if message["role"] != "system"]
    answer = answer_key(dialogue_of(document), quality.poisoning)
    return IndexRow(
        id=document.id,
        digest=conversation_digest(said),
        keys=[hashed_key(key) for key in metadata["keys"]],
        holdout=metadata["holdout"],
        source=metadata["source"],
        type=metadata["type"],
        origin=metadata["origin"],
        language=metadata.get("language"),
        characters=conversation_length(metadata["messages"]),
        turns=len(said),
        worth=_worth(metadata["fields"], quality.csat_best),
        window=answer.window,
        answer=answer.answer,
        pii=metadata.get("pii", {}),
        labels=metadata["labels"],
    )


def _worth(fields: dict[str, Any], csat_best: int) -> float:
    """How it ended for the customer, 0 to 2; what is not known lies between."""
    ends = (resolution(fields, None), csat(fields, csat_best))
    return sum(_UNKNOWN if end is None else end for end in ends)


def conversation_digest(messages: list[Message]) -> str:
    """What two rows share when they say the same, whatever the system prompt."""
    turns = [{**message} for message in messages if message["role"] != "system"]
    return digest(json.dumps(turns, sort_keys=True))[:_SHORT]


def hashed_key(key: str) -> str:
    """`customer:help_desk:17` as `customer:<hash>`: the kind stays, for `Groups` to sort by."""
    kind, _, value = key.partition(":")
    return f"{kind}:{digest(value)[:_SHORT]}"


def read_index(work: Path, rank: int) -> Iterator[IndexRow]:
    """The index of a task's part of the rows."""
    for line in read_json_lines(shard_path(work / "index", rank)):
        yield IndexRow(**line)
