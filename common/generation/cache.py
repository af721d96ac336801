"""Replies on disk: one JSON file each, named by the hash of what was asked.

So a run that was stopped, or is repeated, pays only for what is new. The files hold replies, but no prompts.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from common.chat import Message
from common.generation import JsonSchema, Reply, Sampling
from common.provenance import digest


class ReplyCache:
    """A folder of replies; processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Reply | None:
        """The reply of an earlier run; None when there is none, or its file is damaged."""
        try:
            return Reply(**json.loads(self._path(key).read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply. One with an error is not kept: the next run asks again."""
        if reply.error is not None:
            return
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(reply), file, ensure_ascii=False)
        os.replace(temporary, path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def cache_key(
    url: str,
    model: str,
    messages: Sequence[Message],
    sampling: Sampling,
    schema: JsonSchema | None = None,
) -> str | None:
    """SHA-256 of everything that decides a reply.

    None where nothing does: with a temperature and no seed, every call is meant to be a new draw.
    """
    if sampling.temperature > 0 and sampling.seed is None:
        return None
    asked = [url.rstrip("/"), model, list(messages), sampling.model_dump(mode="json")]
    asked += [json.dumps(schema)] if schema is not None else []  # as text: its keys are written in its order
    return digest(json.dumps(asked, sort_keys=True, ensure_ascii=False))
