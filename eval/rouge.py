"""ROUGE-L F1 (Lin 2004) by the package rouge-score, with a tokenizer that keeps other scripts than Latin.

rouge-score's own tokenizer drops everything but a-z and 0-9: a Japanese reply would score 0 against itself.
Here every Chinese or Japanese character is a token; other scripts go by words. On ASCII text the tokens, and
so the scores, are those of `RougeScorer(["rougeL"], use_stemmer=True)`.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

# Iteration marks, kana, ideographs and their extensions: written without spaces between words.
_CJK = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def tokenize(text: str) -> list[str]:
    """Lower-cased tokens; those in ASCII letters are stemmed as rouge-score does it (Porter)."""
    return [_stem(token) for token in _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())]


def rouge_l(references: Sequence[str], candidates: Sequence[str]) -> list[float]:
    """The F1 of each candidate against its reference, from 0 to 1. An empty candidate gets 0."""
    scorer = _scorer()
    return [
        scorer.score(reference, candidate)["rougeL"].fmeasure
        for reference, candidate in zip(references, candidates, strict=True)
    ]


def most_typical(replies: Sequence[str]) -> str:
    """The reply with the highest mean ROUGE-L against all of `replies`; at equal means the first.

    Given to everything, it is the cliché that a system has to beat.
    """
    scorer = _scorer()

    def total(candidate: str) -> float:
        return sum(scorer.score(reply, candidate)["rougeL"].fmeasure for reply in replies)

    return max(dict.fromkeys(replies), key=total)


class _Tokenizer:
    def tokenize(self, text: str) -> list[str]:
        return tokenize(text)


@cache
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=_Tokenizer())


@cache
def _ascii_tokenizer() -> Any:
    from rouge_score.tokenizers import DefaultTokenizer

    return DefaultTokenizer(use_stemmer=True)


@cache
def _stem(word: str) -> str:
    return "".join(_ascii_tokenizer().tokenize(word)) if word.isascii() else word
