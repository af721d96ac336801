"""Rejects conversations in other languages than those that are asked for."""

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.writers.disk_base import DiskWriter

from data_pipeline.level1.config import Languages
from data_pipeline.level1.language import detector, is_allowed


class DropLanguage(BaseFilter):
    """Reason: language, with "de (0.98)" as the detail: see `LanguageDetector.conversation`.

    The metadata keep the `language`: a code of ISO 639-1, "ja-en" where two are mixed, None without words.
    """

    name = "Languages"
    type = "FILTER"

    def __init__(self, languages: Languages, exclusion_writer: DiskWriter | None = None) -> None:
        super().__init__(exclusion_writer)
        self.languages = languages

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        # The detector is the process's own: steps are copied and sent to others.
        detection = detector(self.languages).conversation(doc.metadata["messages"])
        doc.metadata["language"] = detection.language
        if is_allowed(detection.language, self.languages) or doc.metadata.get("holdout"):
            return True
        doc.metadata["detail"] = str(detection)
        return False, "language"
