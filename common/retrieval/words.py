"""Words of a text, without case, accents and plurals; Japanese, which has no spaces, as character pairs."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

_JAPANESE = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_RUN = re.compile(rf"([{_JAPANESE}]+)|[^\W_{_JAPANESE}]+(?:'[^\W\d_{_JAPANESE}]+)?")

_STOP = """
a an and any are as at be been but by can could did do does don't for from get had has have he her his how
i i'd i'm i've if in is it it's its just me my no not of on or our she so that that's the their them then
there these they this those to us was we were what when where which who why will with would you your
"""
_STOP_WORDS = frozenset(_STOP.split())
"""A question is full of these, and a passage that happens to hold them is no answer."""


def words(text: str) -> list[str]:
    """All words of `text` in order; a single Japanese character between others is a word.

    >>> words("All volumes’ dust-jackets: 返品したい")
    ['all', 'volume', 'dust', 'jacket', '返品', '品し', 'した', 'たい']
    """
    return [stem for _, stem in _words(text)]


def terms(text: str) -> list[str]:
    """The words of `text` that are worth a search.

    >>> terms("Where is my box?")
    ['box']
    """
    return [stem for word, stem in _words(text) if word not in _STOP_WORDS]


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Words as they stand in `text`, and what is searched for."""
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).casefold().replace("’", "'")):
        run = match[0]
        if not match[1]:
            yield run, _stem(_without_accents(run))
        elif len(run) == 1:
            yield run, run
        else:
            yield from ((pair, pair) for pair in map("".join, pairwise(run)))


def _without_accents(word: str) -> str:
    """`word`, with 'é' as 'e'. Not for Japanese, where that would make 'ば' a 'は'."""
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def _stem(word: str) -> str:
    """`word` without the ending of a plural or possessive; Harman 1991, How effective is suffixing?"""
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "shes", "ches")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
