"""Makes sentences from the project's templates: with personal data and without, in many styles."""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from data_pipeline.pii.ner.labelled import Labelled
from data_pipeline.pii.ner.sentences import read_yaml
from data_pipeline.pii.ner.slots import ADDRESS, PERSON, Slots
from data_pipeline.pii.ner.values import Values
from data_pipeline.pii.spans import Span
from data_pipeline.sample.grammar import Piece, Template, expand, parse, tidy

_PERSONAL = ("personal_support", "personal_places", "personal_stories", "personal_more")
_CLEAN = ("clean_support", "clean_talk", "clean_more")
_BETWEEN = {ADDRESS: re.compile(r"[\s,]*"), PERSON: re.compile(" ")}
"""What may stand between two slots that are one span: lines of an address, first and last name."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_MISSPELLED = 0.25
"""Share of texts with slips of the keyboard: a misspelled word is no name because nobody knows it."""
_CLOSING = re.compile(r"[.!?,;:]+$")


@dataclass(frozen=True)
class Sentences:
    """The templates with personal data and those without, and the words of their slots."""

    personal: list[Template]
    clean: list[Template]
    words: dict[str, list[str]]


def load_sentences() -> Sentences:
    """Read the templates of `data_pipeline/pii/ner/sentences`."""
    return Sentences(_templates(_PERSONAL), _templates(_CLEAN), read_yaml("words"))


def _templates(names: Iterable[str]) -> list[Template]:
    blocks = [block for name in names for block in read_yaml(name).values()]
    return [parse(line) for block in blocks for line in block.splitlines() if line.strip()]


def generate(
    sentences: Sentences, values: Values, count: int, clean_share: float, rng: random.Random
) -> list[Labelled]:
    """`count` texts, of which `clean_share` hold no personal data."""
    slots = Slots(values, sentences.words, rng)
    return [_text(sentences, slots, rng.random() < clean_share, rng) for _ in range(count)]


def _text(sentences: Sentences, slots: Slots, clean: bool, rng: random.Random) -> Labelled:
    """One to four sentences; those beside a personal one may be of either kind."""
    parts = [labelled(expand(rng.choice(sentences.clean if clean else sentences.personal), rng, slots.fill))]
    while rng.random() < 0.3 and len(parts) < 4:
        pool = sentences.clean if clean or rng.random() < 0.5 else sentences.personal
        parts.insert(rng.randint(0, len(parts)), labelled(expand(rng.choice(pool), rng, slots.fill)))
    text = _restyle(join(parts, rng), rng)
    return misspelled(text, rng) if rng.random() < _MISSPELLED else text


def labelled(pieces: Iterable[Piece]) -> Labelled:
    """Pieces as a text with spans. The lines of an address are one span, so are first and last name."""
    text = ""
    spans: list[Span] = []
    for piece in tidy(pieces):
        start = len(text)
        text += piece.text
        if not piece.kind or not piece.text.strip():
            continue
        if (
            spans
            and piece.kind == spans[-1].entity_type
            and _goes_on(text[spans[-1].end : start], piece.kind)
        ):
            start = spans.pop().start
        spans.append(Span(start, len(text), piece.kind, 1.0))
    return Labelled(text, tuple(spans))


def _goes_on(between: str, kind: str) -> bool:
    return kind in _BETWEEN and _BETWEEN[kind].fullmatch(between) is not None


def join(parts: Sequence[Labelled], rng: random.Random) -> Labelled:
    """Texts one behind the other, spaces or line breaks between."""
    text = ""
    spans: list[Span] = []
    for part in parts:
        if text:
            closed = text[-1] in ".!?\n" or not text[-1].isalnum()
            text += rng.choice((" ", " ", "\n", "\n\n")) if closed or rng.random() < 0.3 else ". "
        spans += [Span(s.start + len(text), s.end + len(text), s.entity_type, 1.0) for s in part.spans]
        text += part.text
    return Labelled(text, tuple(spans))


def _restyle(text: Labelled, rng: random.Random) -> Labelled:
    """Lower case, capitals, or a missing full stop, as people type."""
    draw = rng.random()
    if draw < 0.28:
        text = recase(text, str.lower)
    elif draw < 0.32:
        text = recase(text, str.upper)
    elif draw < 0.45 and text.text:
        text = (
            Labelled(text.text[0].upper() + text.text[1:], text.spans)
            if len(text.text[0].upper()) == 1
            else text
        )
    if rng.random() < 0.15:
        closing = _CLOSING.search(text.text)
        if closing and not (text.spans and text.spans[-1].end > closing.start()):
            text = Labelled(text.text[: closing.start()], text.spans)
    return text


def recase(text: Labelled, change: Callable[[str], str]) -> Labelled:
    """Every letter through `change`; letters that would become two stay ("ß" in capitals)."""
    letters = [change(char) for char in text.text]
    same = "".join(new if len(new) == 1 else old for new, old in zip(letters, text.text, strict=True))
    return Labelled(same, text.spans)


def misspelled(text: Labelled, rng: random.Random) -> Labelled:
    """Slips in a seventh of the words outside spans, and a few spaces left out between them."""
    made = ""
    spans: list[Span] = []
    end = 0
    for span in text.spans:
        made += _slips(text.text[end : span.start], rng)
        spans.append(Span(len(made), len(made) + span.end - span.start, span.entity_type, span.score))
        made += text.text[span.start : span.end]
        end = span.end
    return Labelled(made + _slips(text.text[end:], rng), tuple(spans))


def _slips(between: str, rng: random.Random) -> str:
    slipped = _WORD.sub(
        lambda word: _slip(word.group(), rng) if rng.random() < 0.14 else word.group(), between
    )
    return re.sub(r"(?<=\w\w) (?=\w\w)", lambda _: "" if rng.random() < 0.04 else " ", slipped)


def _slip(word: str, rng: random.Random) -> str:
    """A letter doubled, left out, hit wrongly, or two letters in the wrong order."""
    at = rng.randrange(len(word) - 1)
    draw = rng.random()
    if draw < 0.25:
        return word[: at + 1] + word[at:]
    if draw < 0.5:
        return word[:at] + word[at + 1 :]
    if draw < 0.7:
        return word[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
