"""Whether two texts are nearly the same, exactly and not by their signatures."""

import re
from collections import Counter
from collections.abc import Sequence

from data_pipeline.level1.compared import CJK, stretched
from data_pipeline.level1.config import NearDuplicates
from data_pipeline.level1.signatures import SHINGLE

_WORD = re.compile(f"[{CJK}]|[^\\W{CJK}]+")
_NUMBER = re.compile(r"\b\d+\b")
_NUMBER_COUNTS = 3


class Text:
    """A text as `squeeze` leaves it, in parts.

    `words` in order, every Japanese or Chinese character one; `vocabulary` without the `repeated`; `numbers`
    are those that are made of digits.
    """

    __slots__ = ("_shingles", "numbers", "repeated", "text", "vocabulary", "words")

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = text.split() if text.isascii() else _WORD.findall(text)
        self.vocabulary = set(self.words)
        self.repeated = len(self.words) - len(self.vocabulary)
        self.numbers: list[str] = _NUMBER.findall(text)
        self._shingles: set[str] | None = None

    @property
    def shingles(self) -> set[str]:
        """The set of its character 5-grams, once `stretched`; a shorter text is one."""
        if self._shingles is None:
            text = stretched(self.text)
            last = max(len(text) - SHINGLE, 0)
            self._shingles = {text[start : start + SHINGLE] for start in range(last + 1)}
        return self._shingles


def nearly_same(a: Text, b: Text, config: NearDuplicates) -> bool:
    """Say whether enough 5-grams are common and few words are not.

    5-grams alone would join questions of one pattern: much of a short one are words that many others have.
    """
    if a.text == b.text:
        return True
    longer = max(len(a.words), len(b.words))
    allowed = max(1, config.changed_words * longer)
    # Without the order no more words can have changed than with it. This says no to most pairs.
    common = len(a.vocabulary & b.vocabulary) + min(a.repeated, b.repeated)
    return (
        longer - common <= allowed
        and jaccard(a.shingles, b.shingles) >= config.similarity
        and changed_words(a, b) <= allowed
    )


def jaccard(a: set[str], b: set[str]) -> float:
    """Size of the intersection over that of the union."""
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def changed_words(a: Text, b: Text) -> int:
    """How many words of the longer text are not in the other one, in the same order.

    A number counts for three: volume 3 is not volume 4, however long the title is.
    """
    changed = max(len(a.words), len(b.words)) - _longest_common(a.words, b.words)
    if a.numbers != b.numbers:
        common = (Counter(a.numbers) & Counter(b.numbers)).total()
        changed += (_NUMBER_COUNTS - 1) * (max(len(a.numbers), len(b.numbers)) - common)
    return changed


def _longest_common(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence, all of a row's bits at once (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for index, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << index
    everything = (1 << len(a)) - 1
    unmatched = everything
    for word in b:
        if word in places:
            matched = unmatched & places[word]
            unmatched = (unmatched + matched | unmatched - matched) & everything
    return len(a) - unmatched.bit_count()
