"""What the tests of recognisers share."""

from data_pipeline.pii.recognizers.base import Recognizer


def found(recognizer: Recognizer, text: str, entity_type: str | None = None) -> list[str]:
    """The texts of the spans, of one type or of all."""
    spans = recognizer.find(text)
    return [text[span.start : span.end] for span in spans if entity_type in (None, span.entity_type)]
