"""Read test sets, and draw the assistant turns that the systems have to answer anew.

A test set with a defect is an error that names the rows, by line: a figure over the rest would be of another
test set.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.chat import Message, MessageError, normalise
from common.errors import UserError
from common.seeds import unit_hash

_SHOWN = 5


@dataclass(frozen=True)
class Conversation:
    """A test row. Rows of one `cluster` are not independent of each other."""

    id: str
    cluster: str
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Turn:
    """An assistant turn to be answered anew: message number `index` (from 0) of a conversation."""

    conversation: Conversation
    index: int

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The true conversation before the turn."""
        return self.conversation.messages[: self.index]

    @property
    def reference(self) -> str:
        """What was really answered."""
        return self.conversation.messages[self.index]["content"]


def read_test_set(path: Path, cluster_by: str) -> list[Conversation]:
    """The rows of a JSONL file, in its order.

    Raises:
        UserError: a row is broken, has no assistant turn or an id that is not its own; there are no rows, or
            all are of one cluster (then no interval can be had).
    """
    conversations: list[Conversation] = []
    problems: list[str] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            conversations.append(_conversation(line, cluster_by))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    ids = Counter(conversation.id for conversation in conversations)
    problems += [f"id '{row_id}' is given {count} times" for row_id, count in ids.items() if count > 1]
    if problems:
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        shown = "\n  ".join(problems[:_SHOWN])
        raise UserError(f"'{path}' is not a sound test set:\n  {shown}{more}", "mend or remove these rows")
    if len({conversation.cluster for conversation in conversations}) < 2:
        raise UserError(
            f"'{path}' holds {len(conversations)} rows of fewer than two customers: no interval can be had",
            "give a larger test set",
        )
    return conversations


def draw_turns(conversations: list[Conversation], count: int, seed: int) -> list[Turn]:
    """Draw `count` of all assistant turns, or all if there are fewer."""
    turns = [
        Turn(conversation, index)
        for conversation in conversations
        for index, message in enumerate(conversation.messages)
        if message["role"] == "assistant"
    ]
    return sorted(turns, key=lambda turn: unit_hash(f"{turn.conversation.id}#{turn.index}", seed))[:count]


def _conversation(line: bytes, cluster_by: str) -> Conversation:
    """Raises ValueError with a text that quotes nothing of the row."""
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    row_id = row.get("id") if isinstance(row, dict) else None
    if not isinstance(row_id, str) or not row_id:
        raise ValueError("no id")
    try:
        messages = normalise(row.get("messages"), training=True)
    except MessageError as error:
        raise ValueError(f"id '{row_id}': {error}") from None
    meta = row.get("meta")
    cluster = meta.get(cluster_by) if isinstance(meta, dict) else None
    # An id and a group may read the same; only the group is shared.
    return Conversation(row_id, f"row:{row_id}" if cluster is None else f"group:{cluster}", tuple(messages))
