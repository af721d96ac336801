"""Kinds of personal data that a company adds by config: order numbers, account numbers."""

import re
from collections.abc import Iterator, Mapping

from data_pipeline.pii.recognizers.base import CHECKED, Recognizer
from data_pipeline.pii.spans import Span


class CustomRecognizer(Recognizer):
    """One pattern for each entity type, looked for as it is."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self.patterns = {name: re.compile(pattern) for name, pattern in patterns.items()}
        self.entity_types = tuple(patterns)  # type: ignore[misc]

    def find(self, text: str) -> Iterator[Span]:
        for name, pattern in self.patterns.items():
            for match in pattern.finditer(text):
                if match.end() > match.start():
                    yield Span(match.start(), match.end(), name, CHECKED)
