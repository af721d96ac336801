"""Removes internal notes, and counts them."""

from typing import Any

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep


class RemoveNotes(PipelineStep):
    """Leaves out messages marked `internal`; the metadata keep their number as `notes_removed`."""

    name = "Internal notes"
    type = "FORMAT"

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data:
            messages = document.metadata["messages"]
            if isinstance(messages, list):
                kept = [message for message in messages if not _is_note(message)]
                document.metadata["messages"] = kept
                document.metadata["notes_removed"] = len(messages) - len(kept)
            yield document


def _is_note(message: Any) -> bool:
    return isinstance(message, dict) and message.get("internal") is True
