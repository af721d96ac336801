"""Turns a row of its source's format into a conversation, or rejects it."""

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter

from data_pipeline.sources import chat, zendesk
from data_pipeline.sources.conversation import Conversation, RowError


class ToConversation(BaseFilter):
    """Reasons: no_messages, no_requester, bad_comment.

    Adds `messages`, `fields` and `keys`, what the row shares with others that belong into the same split.
    """

    name = "To conversation"
    type = "FILTER"

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        metadata = doc.metadata
        read = zendesk.read if metadata["type"] == "zendesk" else chat.read
        try:
            conversation = read(metadata.pop("row"))
        except RowError as error:
            metadata["detail"] = str(error)
            return False, error.reason
        metadata["messages"] = conversation.messages
        metadata["fields"] = conversation.fields
        metadata["keys"] = _keys(conversation, metadata["source"])
        if conversation.id:
            doc.id = f"{metadata['source']}/{conversation.id}"
        return True


def _keys(conversation: Conversation, source: str) -> list[str]:
    """An e-mail address means the same everywhere, an id within its source."""
    keys = {
        "customer": conversation.customer and f"{source}:{conversation.customer}",
        "email": conversation.email,
        "thread": conversation.thread and f"{source}:{conversation.thread}",
    }
    return [f"{kind}:{key}" for kind, key in keys.items() if key]
