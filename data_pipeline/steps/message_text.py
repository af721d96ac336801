"""What the steps that clean the text of messages have in common."""

from abc import ABC, abstractmethod

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep


class MessageTextStep(PipelineStep, ABC):
    """Puts the text of every message through `format`; messages without text are left to the checks."""

    type = "FORMAT"

    @abstractmethod
    def format(self, text: str) -> str:
        """Return the cleaned text."""

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data:
            with self.track_time():
                messages = document.metadata["messages"]
                for message in messages if isinstance(messages, list) else ():
                    if isinstance(message, dict) and isinstance(message.get("content"), str):
                        message["content"] = self.format(message["content"])
            yield document
