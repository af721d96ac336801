"""Takes personal data out of messages and fields, and counts it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.batches import batches
from data_pipeline.models import shared
from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.json_text import is_json, mended, mended_lines
from data_pipeline.pii.nested import texts_in, with_texts

if TYPE_CHECKING:
    from data_pipeline.pii.scrub import Scrubber

_BATCH = 64
_KEPT_FIELDS = frozenset({"status", "priority", "created_at", "updated_at", "channel", "csat"})
"""Fields whose values the help desk makes: nobody is in them, and later steps read them."""


class ScrubPii(PipelineStep):
    """Scrubs the text of all messages, tools' too, and every text in `fields`; `pii` counts spans by type.

    Documents go through the model a batch at a time; what becomes of one does not depend on the others.
    """

    name = "Personal data"
    type = "FORMAT"

    def __init__(self, config: PiiConfig) -> None:
        super().__init__()
        self.config = config

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        scrubber = shared((ScrubPii, self.config.model_dump_json()), self._scrubber)
        for batch in batches(data, _BATCH):
            with self.track_time():
                scrubbed = scrubber.scrub([_texts(document) for document in batch])
                for document, result in zip(batch, scrubbed, strict=True):
                    _put(document, iter(result.texts))
                    document.metadata["pii"] = dict(sorted(result.counts.items()))
                    for entity_type, count in sorted(result.counts.items()):
                        self.stat_update(entity_type, value=count)
            yield from batch

    def _scrubber(self) -> "Scrubber":
        # Here, not at the top: the step is pickled and the model loaded where it runs.
        from data_pipeline.pii.engine import load_engine
        from data_pipeline.pii.scrub import Scrubber

        return Scrubber(self.config, load_engine(self.config))


def _parts(document: Document) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Where texts are: messages without their roles, and fields."""
    messages = [
        {key: value for key, value in message.items() if key != "role"}
        for message in document.metadata["messages"]
    ]
    fields = {k: v for k, v in document.metadata.get("fields", {}).items() if k not in _KEPT_FIELDS}
    return messages, fields


def _texts(document: Document) -> list[str]:
    return list(texts_in(_parts(document)))


def _put(document: Document, texts: Iterator[str]) -> None:
    messages, fields = with_texts(_parts(document), texts)
    for message, scrubbed in zip(document.metadata["messages"], messages, strict=True):
        if message["role"] == "tool" and is_json(message["content"]):
            scrubbed["content"] = mended(scrubbed["content"])
        elif message["role"] == "assistant":
            scrubbed["content"] = mended_lines(scrubbed["content"])
        message.update(scrubbed)
    document.metadata.setdefault("fields", {}).update(fields)
