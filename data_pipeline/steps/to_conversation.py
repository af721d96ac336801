"""Turns a row of its source's format into a conversation, or rejects it."""

from typing import Any

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter

from data_pipeline.sources import articles, chat, freshdesk, intercom, table, zendesk
from data_pipeline.sources.config import Source, columns_of
from data_pipeline.sources.conversation import Conversation, RowError
from data_pipeline.sources.labels import Label, read_labels

_READERS = {
    "zendesk": zendesk.read,
    "intercom": intercom.read,
    "freshdesk": freshdesk.read,
    "chat": chat.read,
    "synthetic": chat.read,
    "kb": articles.conversation,
    "huggingface": chat.read,
}


class ToConversation(BaseFilter):
    """Reasons: no_messages, no_requester, bad_comment, bad_message, bad_role.

    Adds `messages`, `fields`, `labels` (who has called the row what) and `keys`, what the row shares with
    others that belong into the same split.
    """

    name = "To conversation"
    type = "FILTER"

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        metadata = doc.metadata
        row, settings = metadata.pop("row"), metadata.pop("settings")
        try:
            conversation = _read(row, settings)
        except RowError as error:
            metadata["detail"] = str(error)
            return False, error.reason
        metadata["messages"] = conversation.messages
        metadata["fields"] = conversation.fields
        metadata["labels"] = [*conversation.labels, *_labels(row, settings)]
        metadata["keys"] = _keys(conversation, metadata["source"])
        if conversation.id:
            doc.id = f"{metadata['source']}/{conversation.id}"
        return True


def _read(row: dict[str, Any], settings: Source) -> Conversation:
    columns = columns_of(settings)
    return table.read(row, columns) if columns else _READERS[settings.type](row)


def _labels(row: dict[str, Any], settings: Source) -> list[Label]:
    """A table with one turn a row may repeat a conversation's label in each."""
    columns = columns_of(settings)
    parts = row["turns"] if columns and columns.conversation else [row]
    labels: list[Label] = []
    for part in parts:
        new = read_labels(part, settings.labels, settings.label)
        labels += [label for label in new if label not in labels]
    return labels


def _keys(conversation: Conversation, source: str) -> list[str]:
    """An e-mail address means the same everywhere, an id within its source."""
    keys = {
        "customer": conversation.customer and f"{source}:{conversation.customer}",
        "email": conversation.email,
        "thread": conversation.thread and f"{source}:{conversation.thread}",
    }
    return [f"{kind}:{key}" for kind, key in keys.items() if key]
