"""Finds personal data in whole conversations: a name that one message gives away is found in all of them."""

import re
from collections.abc import Iterator, Sequence

from data_pipeline.pii import words
from data_pipeline.pii.engine import PiiEngine
from data_pipeline.pii.ranges import Ranges
from data_pipeline.pii.recognizers.base import STRONG
from data_pipeline.pii.spans import Span

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’\-](?=[^\W\d_]))*")
_SHORTEST = 3
_SURE = 0.8
"""Names less sure than that are not looked for elsewhere: one mistake would become many."""


def find_in_conversations(
    engine: PiiEngine, conversations: Sequence[Sequence[str]]
) -> list[list[list[Span]]]:
    """The spans of each text of each conversation."""
    found = iter(engine.find([text for texts in conversations for text in texts]))
    return [spread_names(engine, texts, [next(found) for _ in texts]) for texts in conversations]


def spread_names(
    engine: PiiEngine, texts: Sequence[str], found: Sequence[Sequence[Span]]
) -> list[list[Span]]:
    """Add the places where a name found elsewhere in the conversation stands again.

    A whole name counts in any case, a single word of it only with its capitals: not every "will" is Will.
    """
    names = {
        text[span.start : span.end]
        for text, spans in zip(texts, found, strict=True)
        for span in spans
        if span.entity_type == "PERSON" and span.score >= _SURE
    }
    parts = {name: _WORD.findall(name) for name in names}
    whole = sorted(
        {name.lower() for name in names if len(parts[name]) > 1}, key=lambda name: (-len(name), name)
    )
    single = {part for name in names for part in parts[name] if _may_stand_alone(part)}
    if not whole and not single:
        return [list(spans) for spans in found]
    return [_with_names(engine, text, spans, whole, single) for text, spans in zip(texts, found, strict=True)]


def _may_stand_alone(word: str) -> bool:
    return len(word) >= _SHORTEST and word[0].isupper() and word.casefold() not in words.folded("not_names")


def _with_names(
    engine: PiiEngine, text: str, spans: Sequence[Span], whole: Sequence[str], single: set[str]
) -> list[Span]:
    taken = Ranges((span.start, span.end) for span in spans)
    more: list[Span] = []
    for start, end in (*_whole_names(text, whole), *_words(text, single)):
        span = Span(start, end, "PERSON", STRONG)
        if not taken.touched_by(start, end) and engine.may_be_personal(text, span):
            taken.add(start, end)
            more.append(span)
    return sorted([*spans, *more], key=lambda span: span.start) if more else list(spans)


def _whole_names(text: str, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    lower = text.lower()
    if len(lower) != len(text):  # a letter such as "İ": positions would be off
        return
    for name in names:
        start = lower.find(name)
        while start >= 0:
            end = start + len(name)
            if not lower[:start][-1:].isalnum() and not lower[end : end + 1].isalnum():
                yield start, end
            start = lower.find(name, end)


def _words(text: str, single: set[str]) -> Iterator[tuple[int, int]]:
    if single.isdisjoint(_bare(word) for word in _WORD.findall(text)):
        return
    for match in _WORD.finditer(text):
        word = _bare(match[0])
        if word in single:
            yield match.start(), match.start() + len(word)


def _bare(word: str) -> str:
    return word[:-2] if word.endswith(("'s", "’s")) else word
