"""Counts the tokens of conversations, for the audit."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from common.chat import FamilyName
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
        for batch in _batches(data or ()):
            with self.track_time():
                counts = counter.count([document.metadata["messages"] for document in batch])
                for document, count in zip(batch, counts, strict=True):
                    document.metadata["tokens"] = count
            yield from batch

    def _counter(self) -> "TokenCounter":
        from data_pipeline.audit.tokens import TokenCounter

        return TokenCounter(self.tokenizer, self.chat_template)


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    iterator = iter(documents)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
