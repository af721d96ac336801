"""Writes cleaned rows, and beside them the index that the plan is made from."""

import json
from pathlib import Path

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from common.chat.messages import Message
from common.provenance import digest
from data_pipeline.shard_files import json_line, shard_path, whole_file


class WriteClean(PipelineStep):
    """A line of `clean/` is a document, the same line of `index/` its id, digest, keys and holdout."""

    name = "Clean rows"
    type = "WRITER"

    def __init__(self, work: Path) -> None:
        super().__init__()
        self.work = work

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        with (
            whole_file(shard_path(self.work / "clean", rank)) as clean,
            whole_file(shard_path(self.work / "index", rank)) as index,
        ):
            for document in data:
                metadata = document.metadata
                clean.write(json_line({"text": document.text, "id": document.id, "metadata": metadata}))
                index.write(
                    json_line(
                        {
                            "id": document.id,
                            "digest": conversation_digest(metadata["messages"]),
                            "keys": metadata["keys"],
                            "holdout": metadata["holdout"],
                        }
                    )
                )
                yield document


def conversation_digest(messages: list[Message]) -> str:
    """What two rows share when they say the same, whatever the system prompt."""
    turns = [[message["role"], message["content"]] for message in messages if message["role"] != "system"]
    return digest(json.dumps(turns))[:32]
