"""The recognisers in Presidio's own AnalyzerEngine."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # importing Presidio loads Transformers


def _analyzer() -> Any:
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    from data_pipeline.pii.presidio import presidio_recognizers

    class Tokenizer(NlpEngine):  # type: ignore[misc]
        """Words alone: our recognisers need no more."""

        engine_name = "tokenizer"
        is_available = True

        def load(self) -> None:
            self.nlp = spacy.blank("en")

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            doc = self.nlp(text)
            words = [token.text for token in doc]
            return NlpArtifacts([], doc, [token.idx for token in doc], words, self, language, [])

        def process_batch(self, texts: Iterable[str], language: str, **_: Any) -> Iterator[Any]:
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, word: str, language: str) -> bool:
            return False

        def is_punct(self, word: str, language: str) -> bool:
            return False

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    engine = Tokenizer()
    engine.load()
    registry = RecognizerRegistry(recognizers=presidio_recognizers({"ORDER_NUMBER": r"MA-\d{7}"}))
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def test_in_an_analyzer_engine() -> None:
    from data_pipeline.pii.config import ALL_TYPES

    analyzer = _analyzer()
    supported = set(analyzer.get_supported_entities("en"))
    assert supported == {*ALL_TYPES, "ORDER_NUMBER"} - {"LOCATION", "ORGANIZATION"}
    text = "Dear Jo Field, order MA-1234567: mail jo@example.org or call 555-0142"
    results = analyzer.analyze(text, language="en", score_threshold=0.5)
    found = {(result.entity_type, text[result.start : result.end]) for result in results}
    assert found == {
        ("PERSON", "Jo Field"),
        ("ORDER_NUMBER", "MA-1234567"),
        ("EMAIL_ADDRESS", "jo@example.org"),
        ("PHONE_NUMBER", "555-0142"),
    }
    only = analyzer.analyze(text, language="en", entities=["PHONE_NUMBER"])
    assert [result.entity_type for result in only] == ["PHONE_NUMBER"]
    assert only[0].recognition_metadata["recognizer_name"] == "PhoneRecognizer"
