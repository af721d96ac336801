"""Opens every conversation with a system prompt."""

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from common.chat.messages import Message, disarm


class AddSystemPrompt(PipelineStep):
    """Puts the prompt before conversations that have none of their own, with `replace` before all."""

    name = "System prompt"
    type = "FORMAT"

    def __init__(self, prompt: str, replace: bool) -> None:
        super().__init__()
        self.system = Message(role="system", content=disarm(prompt.strip()))
        self.replace = replace

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data:
            messages = document.metadata["messages"]
            if messages[0]["role"] != "system":
                document.metadata["messages"] = [self.system, *messages]
            elif self.replace:
                document.metadata["messages"] = [self.system, *messages[1:]]
            yield document
