"""Rejects conversations in which next to nothing is said."""

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.writers.disk_base import DiskWriter

from data_pipeline.level1.length import conversation_length


class DropShort(BaseFilter):
    """Reason: too_short. The metadata keep the length as `characters`.

    Rows of holdouts pass: what those test is their owner's choice.
    """

    name = "Short conversations"
    type = "FILTER"

    def __init__(self, min_characters: int, exclusion_writer: DiskWriter | None = None) -> None:
        super().__init__(exclusion_writer)
        self.min_characters = min_characters

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        characters = doc.metadata["characters"] = conversation_length(doc.metadata["messages"])
        if characters > self.min_characters or doc.metadata.get("holdout"):
            return True
        doc.metadata["detail"] = f"{characters} characters, not more than {self.min_characters}"
        return False, "too_short"
