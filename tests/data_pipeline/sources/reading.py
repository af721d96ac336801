"""What comes out of a source: its rows as conversations, and what is left out with the reason."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from datatrove.data import Document
from pydantic import TypeAdapter

from data_pipeline.inputs import InputFile, input_files
from data_pipeline.shards import shards
from data_pipeline.sources.config import Source
from data_pipeline.steps.drop_unreadable import DropUnreadable
from data_pipeline.steps.read_rows import ReadRows
from data_pipeline.steps.to_conversation import ToConversation


@dataclass
class Found:
    """The documents of a source, and (line, reason) of its other rows."""

    documents: list[Document] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    rows_read: int = 0
    files_cut_short: int = 0

    @property
    def turns(self) -> list[list[tuple[str, Any]]]:
        """Role and content of all messages."""
        return [
            [(message["role"], message["content"]) for message in document.metadata["messages"]]
            for document in self.documents
        ]

    @property
    def fields(self) -> list[dict[str, Any]]:
        return [document.metadata["fields"] for document in self.documents]

    @property
    def lines(self) -> list[int]:
        return [document.metadata["line"] for document in self.documents]

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason in self.rejected]


def settings(**values: Any) -> Any:
    return TypeAdapter(Source).validate_python(values)


def inputs(**values: Any) -> list[InputFile]:
    return input_files(SimpleNamespace(holdouts={}, sources=[settings(**values)]))  # type: ignore[arg-type]


def read(work: Path, max_line_bytes: int = 100_000, **values: Any) -> Found:
    """Read a source as the first steps of a build do."""
    found = Found()
    unreadable, to_conversation = DropUnreadable(), ToConversation()
    parts = shards(inputs(**values))
    for rank in range(len(parts)):
        for document in ReadRows(parts, max_line_bytes, work / "work").run(rank=rank):
            found.rows_read += 1
            kept = unreadable.filter(document)
            kept = to_conversation.filter(document) if kept is True else kept
            if kept is True:
                found.documents.append(document)
            else:
                found.rejected.append((document.metadata["line"], kept[1]))
                found.details.append(document.metadata["detail"])
        counts = json.loads((work / "work" / "read" / f"{rank:05d}.counts.json").read_text())
        found.files_cut_short += counts["files_cut_short"]
    assert found.rows_read == len(found.documents) + len(found.rejected)
    return found


def write(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path
