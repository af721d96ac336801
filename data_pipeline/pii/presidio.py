"""The recognisers as Presidio's, for companies that have an AnalyzerEngine of their own.

    registry = RecognizerRegistry(recognizers=presidio_recognizers())
    AnalyzerEngine(registry=registry, nlp_engine=...).analyze(text, language="en")

The pipeline does without: importing Presidio loads Transformers and takes seconds, and its analyzer goes
through texts one by one.
"""

from collections.abc import Mapping
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from data_pipeline.pii.recognizers import recognizers
from data_pipeline.pii.recognizers.base import Recognizer


class PresidioRecognizer(EntityRecognizer):
    """One of our recognisers with Presidio's interface."""

    name: str

    def __init__(self, recognizer: Recognizer, language: str = "en") -> None:
        self.recognizer = recognizer
        super().__init__(
            supported_entities=list(recognizer.entity_types),
            name=type(recognizer).__name__,
            supported_language=language,
        )

    def load(self) -> None:
        """Nothing: word lists load with the recogniser."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """The spans of the types in `entities`; an empty list stands for all."""
        metadata: dict[str, Any] = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [
            RecognizerResult(
                span.entity_type, span.start, span.end, span.score, recognition_metadata=dict(metadata)
            )
            for span in self.recognizer.find(text)
            if not entities or span.entity_type in entities
        ]


def presidio_recognizers(
    patterns: Mapping[str, str] | None = None, language: str = "en"
) -> list[EntityRecognizer]:
    """All recognisers, and one for the company's own `patterns` (an expression for each entity type)."""
    return [PresidioRecognizer(recognizer, language) for recognizer in recognizers(patterns or {})]
