"""Conversations that are there already, to compare new ones with."""

import json
from collections.abc import Sequence
from pathlib import Path

from common.chat import Message, normalise
from data_pipeline.rows import RowBuffer, UnreadableRest, read_rows
from data_pipeline.sources.config import find_files

_MAX_BYTES = 1_000_000


def read_existing(paths: Sequence[Path], spool: Path) -> tuple[list[list[Message]], int]:
    """The conversations of all rows with `messages`, and how many rows are none.

    Args:
        spool: a folder for rows that are too long to be conversations.
    """
    conversations: list[list[Message]] = []
    unread = 0
    for path in (file for each in paths for file in find_files(each)):
        buffer = RowBuffer(_MAX_BYTES, spool)
        try:
            for row in read_rows(path, buffer):
                if isinstance(row.data, Path):
                    row.data.unlink()
                    unread += 1
                elif messages := _messages(row.data):
                    conversations.append(messages)
                else:
                    unread += 1
        except UnreadableRest:
            unread += 1
    return conversations, unread


def _messages(data: bytes) -> list[Message] | None:
    try:
        row = json.loads(data)
        return normalise(row["messages"]) if isinstance(row, dict) and "messages" in row else None
    except (ValueError, RecursionError):  # MessageError is a ValueError
        return None
