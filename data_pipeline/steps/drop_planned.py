"""Rejects what the plan leaves out."""

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter

from data_pipeline.decision import Decision
from data_pipeline.schema import REJECTED


class DropPlanned(BaseFilter):
    """Reasons: those of the levels' decisions; the metadata keep the `level`."""

    name = "Left out"
    type = "FILTER"

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        decision: Decision = doc.metadata["decision"]
        if decision.outcome != REJECTED:
            return True
        assert decision.reason is not None
        doc.metadata["level"], doc.metadata["detail"] = decision.level, decision.detail
        return False, decision.reason
