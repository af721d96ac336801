"""Rejects rows that say the same as an earlier one."""

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter


class DropRepeated(BaseFilter):
    """Reasons: duplicate, in_holdout (the earlier row is in a holdout)."""

    name = "Repeated rows"
    type = "FILTER"

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        decision = doc.metadata["decision"]
        if decision.reason is None:
            return True
        doc.metadata["detail"] = decision.detail
        return False, decision.reason
