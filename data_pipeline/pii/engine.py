"""Finds personal data in texts: recognisers and a detector together.

engine = load_engine(PiiConfig())
engine.find(["My name is Jo Field, call 555-0142."])
"""

import re
from collections.abc import Iterator, Sequence

from data_pipeline.pii import words
from data_pipeline.pii.allow import AllowList
from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.placeholders import placeholder_pattern
from data_pipeline.pii.ranges import Ranges
from data_pipeline.pii.recognizers import recognizers
from data_pipeline.pii.resolve import PLACES, Candidate, by_model, by_rules, join_places, resolve, trimmed
from data_pipeline.pii.spans import Detector, Span

_DIGIT = re.compile(r"\d")
_POSSESSIVE = ("'s", "’s")


class PiiEngine:
    """What a text holds depends on this text and the config alone, never on the others of a batch."""

    def __init__(self, config: PiiConfig, detector: Detector | None) -> None:
        self.config = config
        self.detector = detector
        # Places take part until addresses are joined, whether or not they are wanted by themselves.
        self._wanted = frozenset((*config.entity_types, *config.patterns))
        searched = self._wanted | (PLACES if self._wanted & PLACES else frozenset())
        chosen = [r for r in recognizers(config.patterns) if searched.intersection(r.entity_types)]
        self._searched = searched
        self._recognizers = [recognizer for recognizer in chosen if not recognizer.needs_digit]
        self._digit_recognizers = [recognizer for recognizer in chosen if recognizer.needs_digit]
        self._countries = words.folded("countries")
        self._allow_list = AllowList(config.allow_list)
        self._placeholder = placeholder_pattern(config.patterns)

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, by start, none overlapping another."""
        if self.detector is None:
            return [self._combine(text, ()) for text in texts]
        detected = self.detector.find(texts)
        return [self._combine(text, spans) for text, spans in zip(texts, detected, strict=True)]

    def find_by_rules(self, text: str) -> list[Span]:
        """What recognisers alone find in a text."""
        return self._combine(text, ())

    def may_be_personal(self, text: str, span: Span) -> bool:
        """Whether a span found in another way is of a wanted type and neither allowed nor replaced."""
        if span.entity_type not in self._wanted or self._allow_list.allows(text, span):
            return False
        if "[" not in text:
            return True
        return not any(
            match.start() < span.end and span.start < match.end()
            for match in self._placeholder.finditer(text)
        )

    def _combine(self, text: str, detected: Sequence[Span]) -> list[Span]:
        rules = by_rules(self._by_rules(text), self.config.patterns)
        candidates = [*rules, *by_model(self._by_model(text, detected))]
        candidates = [(rank, span) for rank, span in candidates if self._counts(text, span)]
        if not candidates:
            return []
        if "[" in text:
            candidates = self._outside_placeholders(text, candidates)
        spans = resolve(text, candidates)
        if any(span.entity_type in PLACES for span in spans):
            spans = join_places(text, spans)
        return [span for span in spans if span.entity_type in self._wanted]

    def _by_rules(self, text: str) -> Iterator[Span]:
        for recognizer in self._recognizers:
            yield from recognizer.find(text)
        if _DIGIT.search(text):
            for recognizer in self._digit_recognizers:
                yield from recognizer.find(text)

    def _by_model(self, text: str, spans: Sequence[Span]) -> Iterator[Span]:
        for span in spans:
            end = span.end - 2 if text[span.start : span.end].endswith(_POSSESSIVE) else span.end
            if found := trimmed(text, span.start, end):
                entity_type = span.entity_type
                if entity_type == "LOCATION" and text[found[0] : found[1]].casefold() in self._countries:
                    entity_type = "COUNTRY"
                yield Span(found[0], found[1], entity_type, span.score)

    def _counts(self, text: str, span: Span) -> bool:
        if span.entity_type not in self._searched:
            return False
        if span.score < self.config.thresholds.get(span.entity_type, self.config.threshold):
            return False
        return not self._allow_list.allows(text, span)

    def _outside_placeholders(self, text: str, candidates: list[Candidate]) -> list[Candidate]:
        """What does not touch a placeholder: a text that was scrubbed before is left as it is."""
        taken = Ranges(match.span() for match in self._placeholder.finditer(text))
        return [(rank, span) for rank, span in candidates if not taken.touched_by(span.start, span.end)]


def load_engine(config: PiiConfig) -> PiiEngine:
    """The engine with the detector that `config` names. Raises UserError if it can't be loaded."""
    if config.detector is None:
        return PiiEngine(config, None)
    from data_pipeline.pii.ner import load_detector

    return PiiEngine(config, load_detector(config.detector))
