"""Cuts a conversation behind its last reply: what the customer wrote after it has no answer to learn."""

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep


class CutUnanswered(PipelineStep):
    """The metadata keep the turns that were cut off as `cut`."""

    name = "Unanswered turns"
    type = "FORMAT"

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data:
            messages = document.metadata["messages"]
            end = max(index for index, message in enumerate(messages, 1) if message["role"] == "assistant")
            document.metadata["messages"], document.metadata["cut"] = messages[:end], messages[end:]
            yield document
