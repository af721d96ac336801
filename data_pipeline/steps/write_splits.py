"""Writes the rows of the dataset, a folder a split."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.decision import Decision
from data_pipeline.schema import check_line
from data_pipeline.shard_files import json_line, shard_path, whole_file, write_counts


class WriteSplits(PipelineStep):
    """A task's part of `<split>/`, and its counts of rows, replies, notes removed and turns cut.

    Every row is checked against `data_pipeline.schema.Row`.
    """

    name = "Splits"
    type = "WRITER"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        counts: Counter[str] = Counter()
        files: dict[str, IO[bytes]] = {}
        with ExitStack() as stack:
            for document in data:
                outcome = document.metadata["decision"].outcome
                if outcome not in files:
                    files[outcome] = stack.enter_context(whole_file(shard_path(self.folder / outcome, rank)))
                row = dataset_row(document)
                line = json_line(row)
                check_line(line)
                files[outcome].write(line)
                counts.update(_counted(row, outcome))
                yield document
        write_counts(self.folder, rank, counts)


def dataset_row(document: Document) -> dict[str, Any]:
    """The row of a document, in the project's format."""
    metadata = document.metadata
    decision: Decision = metadata["decision"]
    return {
        "id": decision.id,
        "messages": metadata["messages"],
        "meta": {
            "source": {"name": metadata["source"], "file": metadata["file"], "line": metadata["line"]},
            "group": decision.group,
            "origin": metadata["origin"],
            "language": metadata.get("language"),
            **{key: metadata[key] for key in ("fields", "labels", "notes_removed", "cut")},
            "pii": metadata.get("pii", {}),
            **(decision.tags or {}),
        },
    }


def _counted(row: dict[str, Any], outcome: str) -> dict[str, int]:
    replies = sum(message["role"] == "assistant" for message in row["messages"])
    return {
        f"rows/{outcome}": 1,
        f"assistant_turns/{outcome}": replies,
        "notes_removed": row["meta"]["notes_removed"],
        "turns_cut": len(row["meta"]["cut"]),
    }
