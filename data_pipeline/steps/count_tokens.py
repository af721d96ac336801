"""Counts the tokens of conversations, for the audit."""

from typing import TYPE_CHECKING

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from common.chat import FamilyName
from data_pipeline.batches import batches
from data_pipeline.models import shared

if TYPE_CHECKING:
    from data_pipeline.audit.tokens import TokenCounter

_BATCH = 64


class CountTokens(PipelineStep):
    """The metadata get `tokens`: see `TokenCounter.count`."""

    name = "Tokens"
    type = "FORMAT"

    def __init__(self, tokenizer: str, chat_template: FamilyName) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.chat_template: FamilyName = chat_template

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        counter = shared(CountTokens, self._counter)
        for batch in batches(data, _BATCH):
            with self.track_time():
                counts = counter.count([document.metadata["messages"] for document in batch])
                for document, count in zip(batch, counts, strict=True):
                    document.metadata["tokens"] = count
            yield from batch

    def _counter(self) -> "TokenCounter":
        from data_pipeline.audit.tokens import TokenCounter

        return TokenCounter(self.tokenizer, self.chat_template)
