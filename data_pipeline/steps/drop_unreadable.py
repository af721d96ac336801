"""Rejects rows that could not be read."""

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter


class DropUnreadable(BaseFilter):
    """Reasons: broken_json, invalid_utf8, line_too_long, not_an_object, bad_unicode, corrupt_gzip."""

    name = "Unreadable rows"
    type = "FILTER"

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        defect = doc.metadata.get("defect")
        if defect is None:
            return True
        reason, doc.metadata["detail"] = defect
        return False, reason
