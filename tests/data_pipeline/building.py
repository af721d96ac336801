"""Rows and builds for the tests of data_pipeline.build."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.artifacts import Manifest, read_manifest
from common.command import Options
from data_pipeline.build import build
from data_pipeline.config import BuildConfig
from data_pipeline.results import raw_defects_beside

PROMPT = "You answer for a manga shop."
NO_LEVELS: dict[str, Any] = {"pii": None, "level1": None, "level2": None, "level3": None}
"""Nothing but reading, cleaning and splitting, for tests of those."""
AGENT = 999_999


def chat(*contents: str, **extra: Any) -> dict[str, Any]:
    """A chat row whose turns are by turns the user's and the assistant's."""
    roles = ("user", "assistant")
    messages = [{"role": roles[index % 2], "content": text} for index, text in enumerate(contents)]
    return {"messages": messages, **extra}


def dialogues(count: int) -> list[dict[str, Any]]:
    return [chat(f"Where is parcel {n}?", f"Parcel {n} is on its way.", id=n) for n in range(count)]


def ticket(number: int, *bodies: str, requester: int = 0, **extra: Any) -> dict[str, Any]:
    """A Zendesk ticket whose comments are by turns the requester's and an agent's."""
    requester = requester or 1000 + number
    comments = [
        {"id": index, "author_id": AGENT if index % 2 else requester, "public": True, "body": body}
        for index, body in enumerate(bodies)
    ]
    return {"id": number, "requester_id": requester, "comments": comments, **extra}


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    """JSON Lines; rows that are bytes as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@dataclass
class Dataset:
    """What a build wrote."""

    path: Path

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.path)

    def rows(self, name: str) -> list[dict[str, Any]]:
        return read_lines(self.path / f"{name}.jsonl")

    @property
    def kept(self) -> list[dict[str, Any]]:
        return self.rows("train") + self.rows("val") + self.rows("test")

    @property
    def rejected(self) -> list[dict[str, Any]]:
        return self.rows("rejected")

    @property
    def raw_defects(self) -> list[dict[str, Any]]:
        """Rows with a defect as they came, which lie beside the dataset."""
        return read_lines(raw_defects_beside(self.path))

    @property
    def reasons(self) -> list[str]:
        return [row["reason"] for row in self.rejected]


def build_dataset(output: Path, *sources: Path, type: str = "chat", **settings: Any) -> Dataset:
    """Build from the files; all rows go to train, and all may be bad, unless `settings` say otherwise."""
    values = {
        "output": output,
        "sources": [{"type": type, "path": path} for path in sources],
        "system_prompt": PROMPT,
        **NO_LEVELS,
        "split": {"train": 1.0, "val": 0.0, "test": 0.0},
        "max_rejected_share": 1.0,
        **settings,
    }
    build(BuildConfig.model_validate(values), Options())
    return Dataset(output)
