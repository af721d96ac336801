"""What the steps that clean the text of messages have in common."""

from abc import ABC, abstractmethod
from typing import Any

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep


class MessageTextStep(PipelineStep, ABC):
    """Puts the text of every message through `format`; messages without text are left to the checks.

    What tools have answered stays as it is: it may be JSON, which a change could break.
    """

    type = "FORMAT"

    @abstractmethod
    def format(self, text: str) -> str:
        """Return the cleaned text."""

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data:
            with self.track_time():
                messages = document.metadata["messages"]
                for message in messages if isinstance(messages, list) else ():
                    if _is_written(message):
                        message["content"] = self.format(message["content"])
            yield document


def _is_written(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("content"), str)
        and message.get("role") != "tool"
    )
