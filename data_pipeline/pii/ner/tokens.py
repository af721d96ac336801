"""Cuts a text into tokens that keep their place in it."""

import re
from dataclasses import dataclass

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_CJK}]|\d+|[^\W\d_{_CJK}]+|[^\w\s]|_")

NO_SPACE, SPACE, NEW_LINE, START = range(4)
MIXED_CASE, LOWER_CASE, UPPER_CASE = range(3)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a text; `starts[i]` is where `words[i]` begins, `gaps[i]` what stands before it.

    `case` says whether the whole text is in lower case or in capitals: then case says nothing about names.
    """

    words: list[str]
    starts: list[int]
    gaps: list[int]
    case: int


def tokenize(text: str) -> Tokens:
    """Runs of letters, runs of digits, and every other character (CJK ones too) on its own."""
    words: list[str] = []
    starts: list[int] = []
    gaps: list[int] = []
    end = 0
    for match in _TOKEN.finditer(text):
        start = match.start()
        words.append(match.group())
        starts.append(start)
        if not gaps:
            gaps.append(START)
        elif start == end:
            gaps.append(NO_SPACE)
        else:
            gaps.append(NEW_LINE if "\n" in text[end:start] else SPACE)
        end = match.end()
    return Tokens(words, starts, gaps, _case(text))


def _case(text: str) -> int:
    if text == text.lower():
        return LOWER_CASE
    return UPPER_CASE if text == text.upper() else MIXED_CASE
