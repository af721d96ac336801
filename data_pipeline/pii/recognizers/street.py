"""Postal addresses by their words.

A line such as "Joaquin Suarez 2906" says by nothing but its sense that it is a street: the model's part.
"""

import re
from collections.abc import Iterator

from data_pipeline.pii import words
from data_pipeline.pii.recognizers import street_patterns as patterns
from data_pipeline.pii.recognizers.base import LIKELY, STRONG, Recognizer, holds_any
from data_pipeline.pii.spans import Span

_DIGIT = re.compile(r"\d")
_LONGEST_STREET = 90
_FIRST_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


class AddressRecognizer(Recognizer):
    """Streets with a house number, and the flat, town and post code that follow, over several lines."""

    entity_types = ("ADDRESS",)

    def find(self, text: str) -> Iterator[Span]:
        lower = text.lower()
        if _DIGIT.search(text):
            for start, end in _streets(text, lower):
                yield Span(start, _address_end(text, end), "ADDRESS", STRONG)
            for match in _other_numbered(text):
                yield Span(match.start(), match.end(), "ADDRESS", LIKELY)
        if holds_any(lower, patterns.OTHER_HINTS):
            for match in patterns.OTHERS.finditer(text):
                if match["corner"] is None or patterns.STREET_LIKE.search(match[0]):
                    yield Span(match.start(), match.end(), "ADDRESS", LIKELY)
        if not text.isascii():
            for match in patterns.JAPANESE.finditer(text):
                yield Span(match.start(), match.end(), "ADDRESS", STRONG)


def _streets(text: str, lower: str) -> Iterator[tuple[int, int]]:
    for match in patterns.NUMBER_FIRST.finditer(text):
        yield match.span()
    # Customers who never use capitals write their addresses so, too: these forms are sure enough without.
    cased = text.title() if text == lower and len(text.title()) == len(text) else text
    if "R " in cased or "R. " in cased or holds_any(lower, patterns.KIND_FIRST_HINTS):
        for match in patterns.KIND_FIRST.finditer(cased):
            yield match.span()
    if holds_any(lower, patterns.COMPOUNDS):
        for match in patterns.COMPOUND.finditer(cased):
            yield match.span()
    if holds_any(text, patterns.NAME_FIRST_HINTS):
        for match in patterns.NAME_FIRST.finditer(text):
            yield match.span()
    if "apt" in lower or "suite" in lower or "apart" in lower or "flat" in lower:
        yield from _before_flats(text)
    for match in patterns.NAMED.finditer(text):
        yield match.span(1)


def _before_flats(text: str) -> Iterator[tuple[int, int]]:
    for flat in patterns.FLAT_BEGINS.finditer(text):
        first = max(0, flat.start() - _LONGEST_STREET)
        before = text[first : flat.start()].rstrip(" ,\n?>")
        if before and (match := patterns.BEFORE_FLAT.search(f"{before} ")):
            yield first + match.start(), first + len(before)


def _other_numbered(text: str) -> Iterator[re.Match[str]]:
    for match in patterns.LOWER_CASE.finditer(text):
        if not patterns.NO_STREET.intersection(match[0].split()):
            yield match
    yield from patterns.STATE_AND_CODE.finditer(text)
    yield from patterns.ROMANISED.finditer(text)


def _address_end(text: str, end: int) -> int:
    """Where the address ends whose street ends at `end`: with a flat, towns and a post code, or a town."""
    if flat := patterns.FLAT.match(text, end):
        end = flat.end()
    if town := patterns.TOWN_AND_CODE.match(text, end):
        return town.end()
    if town := (patterns.TOWN_AFTER_FLAT if flat else patterns.TOWN).match(text, end):
        first = _FIRST_WORD.search(town[0])
        if first and first[0].casefold() not in words.folded("not_names"):
            return town.end()
    return end
