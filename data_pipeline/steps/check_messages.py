"""Rejects conversations that break the rules of `common.chat`, and brings the others into its one form."""

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter

from common.chat.messages import MessageError, normalise


class CheckMessages(BaseFilter):
    """Reasons: those of `common.chat.messages.Reason`."""

    name = "Messages"
    type = "FILTER"

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        try:
            doc.metadata["messages"] = normalise(doc.metadata["messages"], training=True)
        except MessageError as error:
            doc.metadata["detail"] = str(error).removeprefix(f"{error.reason}: ")
            return False, error.reason
        return True
