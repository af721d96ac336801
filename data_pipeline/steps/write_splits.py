"""Writes the rows of the dataset, a folder a split."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.shard_files import json_line, shard_path, whole_file, write_counts


class WriteSplits(PipelineStep):
    """A task's part of `<split>/`, and its counts of rows, replies, notes removed and turns cut.

    A row has id, messages and meta: source (name, file, line), group, fields, notes_removed, cut.
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
                split = document.metadata["decision"].split
                if split not in files:
                    files[split] = stack.enter_context(whole_file(shard_path(self.folder / split, rank)))
                row = dataset_row(document)
                files[split].write(json_line(row))
                counts.update(_counted(row, split))
                yield document
        write_counts(self.folder, rank, counts)


def dataset_row(document: Document) -> dict[str, Any]:
    """The row of a document, in the project's format."""
    metadata = document.metadata
    return {
        "id": metadata["decision"].id,
        "messages": metadata["messages"],
        "meta": {
            "source": {"name": metadata["source"], "file": metadata["file"], "line": metadata["line"]},
            "group": metadata["decision"].group,
            "fields": metadata["fields"],
            "notes_removed": metadata["notes_removed"],
            "cut": metadata["cut"],
        },
    }


def _counted(row: dict[str, Any], split: str) -> dict[str, int]:
    replies = sum(message["role"] == "assistant" for message in row["messages"])
    return {
        f"rows/{split}": 1,
        f"assistant_turns/{split}": replies,
        "notes_removed": row["meta"]["notes_removed"],
        "turns_cut": len(row["meta"]["cut"]),
    }
