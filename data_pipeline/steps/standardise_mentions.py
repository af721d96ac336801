"""Writes names of products, series and pages in one way, by a table."""

from typing import Any

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.steps.config import MentionsConfig
from data_pipeline.steps.mentions import Mentions, read_names


class StandardiseMentions(PipelineStep):
    """The metadata keep the number of places that changed as `mentions_standardised`.

    Raises UserError when it is made: the table is none, or a variant belongs to two names.
    """

    name = "Mentions"
    type = "FORMAT"

    def __init__(self, config: MentionsConfig) -> None:
        super().__init__()
        self.mentions = Mentions(read_names(config))

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data:
            with self.track_time():
                changed = self._standardise(document.metadata["messages"])
                document.metadata["mentions_standardised"] = changed
                self.stat_update("mentions", value=changed)
            yield document

    def _standardise(self, messages: Any) -> int:
        """What the customer and the assistant say; what tools get and give has to stay exact."""
        all_changed = 0
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict) and message.get("role") in ("user", "assistant"):
                text = message.get("content")
                if isinstance(text, str):
                    message["content"], changed = self.mentions.standardise(text)
                    all_changed += changed
        return all_changed
