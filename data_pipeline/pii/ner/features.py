"""What the network sees of a token: hashed spelling, shape, and the pieces of a known vocabulary."""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_pipeline.pii.ner.tokens import Tokens

WORD_ROWS = 16_384
AFFIX_ROWS = 16_384
SHAPE_ROWS = 1_024
MOST_PIECES = 3
AFFIXES = 6
PADDING_PIECE = 0
_UNKNOWN_PIECE = 100
_CACHED_WORDS = 50_000
_DIGIT = re.compile(r"\d")


class Ids(NamedTuple):
    """Rows of the network's tables for one text of n tokens, each int64."""

    words: NDArray[np.int64]
    """(n, 9): word, six beginnings and ends, shape, number of pieces."""
    pieces: NDArray[np.int64]
    """(n, 2): the first and the last piece of the vocabulary."""
    context: NDArray[np.int64]
    """(n, 2): the gap before the token, and the case of the whole text."""


class Features:
    """Looks tokens up. Words seen lately are kept, at most 50,000, so memory stays flat."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._pieces = {piece: number for number, piece in enumerate(vocabulary)}
        self._seen: dict[str, tuple[int, ...]] = {}

    def of(self, tokens: Tokens) -> Ids:
        """The ids of a text's tokens."""
        rows = np.array([self._word(word) for word in tokens.words], dtype=np.int64).reshape(-1, 11)
        context = np.empty((len(tokens.words), 2), dtype=np.int64)
        context[:, 0] = tokens.gaps
        context[:, 1] = tokens.case
        return Ids(rows[:, :9], rows[:, 9:], context)

    def _word(self, word: str) -> tuple[int, ...]:
        found = self._seen.get(word)
        if found is None:
            if len(self._seen) >= _CACHED_WORDS:
                self._seen.clear()
            found = self._seen[word] = self._look_up(word)
        return found

    def _look_up(self, word: str) -> tuple[int, ...]:
        lower = _DIGIT.sub("0", word.lower())
        affixes = (lower[:2], lower[:3], lower[:4], lower[-2:], lower[-3:], lower[-4:])
        pieces = self._split(word)
        return (
            _hash(lower, 0, WORD_ROWS),
            *(_hash(affix, 1 + kind, AFFIX_ROWS) for kind, affix in enumerate(affixes)),
            _hash(shape(word), 9, SHAPE_ROWS),
            min(len(pieces), MOST_PIECES),
            pieces[0],
            pieces[-1],
        )

    def _split(self, word: str) -> list[int]:
        """WordPiece as the vocabulary's own tokenizer does it: greedy, in lower case, without accents."""
        plain = unicodedata.normalize("NFD", word.lower())
        plain = "".join(char for char in plain if unicodedata.category(char) != "Mn")
        pieces: list[int] = []
        start = 0
        while start < len(plain):
            for end in range(len(plain), start, -1):
                piece = self._pieces.get(("##" if start else "") + plain[start:end])
                if piece is not None:
                    pieces.append(piece)
                    start = end
                    break
            else:
                return [_UNKNOWN_PIECE]
        return pieces or [_UNKNOWN_PIECE]


def shape(word: str) -> str:
    """`Xxxx` for "Smith", `XX` for "ID", `dd` for "42": at most four signs of a kind in a row."""
    signs: list[str] = []
    for char in word[:24]:
        sign = "d" if char.isdigit() else "X" if char.isupper() else "x" if char.isalpha() else char
        if signs[-4:] != [sign] * 4:
            signs.append(sign)
    return "".join(signs)


def _hash(text: str, kind: int, rows: int) -> int:
    """Row 0 is kept for what is hidden from the network in training."""
    return 1 + zlib.crc32(text.encode(), kind) % (rows - 1)
