"""How well found spans agree with annotated ones, by the rules of presidio-evaluator's `SpanEvaluator`.

Texts are cut into tokens, tokens tagged, runs of equal tags are spans. Spans of one type with nothing but
skip words between them are one span; skip words at the ends of a span do not count. A span is found if its
characters agree with an IoU of at least 0.9; several predictions of a type over one annotation count as one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from data_pipeline.pii.spans import Span

OUTSIDE = "O"
Token = tuple[int, str]
"""Where a token starts, and its text."""

# The words that presidio-evaluator 0.3.2 skips beside English stop words and punctuation.
_SKIPPED = """
    >> >>> >>>> >>>>> >>>>>> 's street st. st de rue via and a the or do as of day address country state city
    zip po apt unit corner p.o. box suite mr. mrs. miss year years y/o month months old morning noon afternoon
    night evening this first last week weeks weekend days age ago inc inc. ltd
"""


@dataclass
class Counts:
    """Spans of one type, or of all."""

    found: int = 0
    predicted: int = 0
    annotated: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.found + other.found, self.predicted + other.predicted, self.annotated + other.annotated
        )

    @property
    def precision(self) -> float:
        """NaN where nothing was predicted."""
        return self.found / self.predicted if self.predicted else math.nan

    @property
    def recall(self) -> float:
        """NaN where nothing was annotated."""
        return self.found / self.annotated if self.annotated else math.nan

    def f(self, beta: float = 2) -> float:
        """Van Rijsbergen's F: recall weighs `beta` times as much as precision. NaN where one of them is."""
        precision, recall = self.precision, self.recall
        if math.isnan(precision) or math.isnan(recall) or not self.found:
            return math.nan
        return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


@dataclass
class Score:
    """Counts of each type; `total` adds them up."""

    by_type: dict[str, Counts] = field(default_factory=dict)

    @property
    def total(self) -> Counts:
        return sum(self.by_type.values(), Counts())

    def of(self, entity_type: str) -> Counts:
        return self.by_type.setdefault(entity_type, Counts())


@dataclass(slots=True)
class _Run:
    """Tokens of one type; `start` and `end` leave out skip words at its ends."""

    entity_type: str
    start: int
    end: int
    first_token: int
    last_token: int


@lru_cache(maxsize=1)
def skip_words() -> frozenset[str]:
    """The words that do not count at the ends of a span, nor between two spans."""
    import string

    from spacy.lang.en.stop_words import STOP_WORDS

    white = {"", "\n\n", "\n\n\n", "\n\n\n\n", "\t\t", "\t\t\t", "\t\t\t\t"}
    return frozenset({*string.punctuation, *string.whitespace, *white, *_SKIPPED.split(), *STOP_WORDS})


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    import spacy

    return spacy.blank("en").tokenizer


def tokenize(texts: Iterable[str]) -> list[list[Token]]:
    """The tokens of each text by spaCy's English tokenizer, the one that the published figures rest on."""
    tokenizer = _tokenizer()
    return [[(token.idx, token.text) for token in tokenizer(text)] for text in texts]


def tags(tokens: Sequence[Token], spans: Iterable[Span]) -> list[str]:
    """The type of each token: that of the first span which holds its start, or lies within it."""
    ordered = sorted(spans, key=lambda span: (span.start, span.end))
    found = []
    for start, text in tokens:
        end = start + len(text)
        inside = (
            span.entity_type
            for span in ordered
            if span.start <= start < span.end or (start <= span.start and span.end <= end)
        )
        found.append(next(inside, OUTSIDE))
    return found


def score(
    tokens: Sequence[Sequence[Token]],
    annotated: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    iou: float = 0.9,
) -> Score:
    """Compare the tags of texts, text by text.

    Args:
        tokens: those of each text.
        annotated: a tag for each token; `OUTSIDE` for none.
        predicted: likewise.
        iou: the least agreement, intersection over union of characters.

    A prediction over two annotations counts for both, as in presidio-evaluator.
    """
    result = Score()
    for text_tokens, truth, guess in zip(tokens, annotated, predicted, strict=True):
        _compare(_runs(text_tokens, truth), _runs(text_tokens, guess), iou, result)
    return result


def _runs(tokens: Sequence[Token], text_tags: Sequence[str]) -> list[_Run]:
    runs: list[_Run] = []
    first = 0
    for position in range(1, len(tokens) + 1):
        if position < len(tokens) and text_tags[position] == text_tags[first]:
            continue
        if text_tags[first] != OUTSIDE:
            counted = [(s, t) for s, t in tokens[first:position] if t.lower() not in skip_words()]
            if counted:
                # The lower-cased token is measured, as the original does: 'İ' is longer in lower case.
                end = max(start + len(token.lower()) for start, token in counted)
                _append(runs, _Run(text_tags[first], counted[0][0], end, first, position), tokens)
        first = position
    return runs


def _append(runs: list[_Run], run: _Run, tokens: Sequence[Token]) -> None:
    """Add a run, or lengthen the last one if only skip words part them."""
    last = runs[-1] if runs else None
    if last and last.entity_type == run.entity_type:
        between = tokens[last.last_token : run.first_token]
        if all(token.lower().strip() in skip_words() for _, token in between):
            last.end, last.last_token = max(last.end, run.end), run.last_token
            return
    runs.append(run)


def _compare(annotated: Sequence[_Run], predicted: Sequence[_Run], iou: float, result: Score) -> None:
    touched: set[int] = set()
    for truth in annotated:
        result.of(truth.entity_type).annotated += 1
        by_type: dict[str, list[_Run]] = {}
        for number, guess in enumerate(predicted):
            if min(truth.end, guess.end) > max(truth.start, guess.start):
                touched.add(number)
                by_type.setdefault(guess.entity_type, []).append(guess)
        alone = sum(map(len, by_type.values())) == 1
        for entity_type, guesses in by_type.items():
            agreement = _iou(truth, guesses[0]) if alone else _joint_iou(truth, guesses)
            counts = result.of(entity_type)
            counts.predicted += 1
            counts.found += agreement >= iou and entity_type == truth.entity_type
    for number, guess in enumerate(predicted):
        if number not in touched:
            result.of(guess.entity_type).predicted += 1


def _iou(one: _Run, other: _Run) -> float:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared / (max(one.end, other.end) - min(one.start, other.start))


def _joint_iou(truth: _Run, guesses: Sequence[_Run]) -> float:
    """The original's rule for several predictions: one character more each, the later ones moved back by one.

    So the space between two predicted words counts as predicted.
    """
    wanted = set(range(truth.start, truth.end + 1))
    got = set(range(guesses[0].start, guesses[0].end + 1))
    for guess in guesses[1:]:
        got.update(range(guess.start - 1, guess.end))
    return len(wanted & got) / len(wanted | got)


def type_blind(text_tags: Iterable[str]) -> list[str]:
    """The same tags with one type for all."""
    return [tag if tag == OUTSIDE else "PII" for tag in text_tags]
