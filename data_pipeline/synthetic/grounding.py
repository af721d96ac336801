"""Check 2: what the answers state stands in the passages that the conversation was written from."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from common.chat import Message
from common.retrieval import Passage
from common.retrieval.words import terms
from data_pipeline.quality.claims import Claim, agree, claims, is_derived
from data_pipeline.quality.dialogue import Dialogue
from data_pipeline.quality.factuality import FactCheck, factuality
from data_pipeline.quality.sentences import body, sentences
from data_pipeline.quality.statements import Statements

_CONDITION = re.compile(
    r"\b(?:if|unless|except|only|provided|as long as|must|have to|has to|need to|needs to|required?s?|"
    r"cannot|can't|not allowed|before|until)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_NO_NUMBER = re.compile(r"\[[A-Z_0-9]+\]|https?://\S+")
_KNOWN_TERMS = 0.3
"""Least share of a condition's words that passages or customer have used. On seed 11 of the sample company,
6 % of the conditions of its own article have less, and 68 % of those of another one; with .5, 17 and 90 %."""
_FEW_TERMS = 3
_CONTRADICTED = 0.15
"""Highest factuality (`data_pipeline.quality.factuality`) of a contradiction: a number may stand in the
passages for something else, or seem to be worked out. On seed 11 it rejects .6 % of the good conversations
beside the other rules, and a third of the changed numbers that these let pass."""


class Grounding:
    """Compares answers with the knowledge base.

    Numbers, dates and names have to stand in the given passages, or in the customer's words, or to follow
    from both by one sum, difference or product. Conditions have to be made of the words of the passages. The
    statement about the same thing must have no other number, and must not forbid what is allowed. In another
    language than the knowledge base's, digits alone are compared.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._statements = Statements(passages)
        self._check = FactCheck(self._statements)

    def fault(
        self, messages: Sequence[Message], given: Sequence[Passage], *, same_language: bool
    ) -> str | None:
        """The reason why the answers are not grounded in `given`; None if they are.

        Reasons: not_in_passage, condition_not_in_passage, contradicts_passage.
        """
        if not same_language:
            return "not_in_passage" if _has_new_digits(messages, given) else None
        known = [claim for passage in given for claim in claims(passage.text, self._statements.names)]
        words = {term for passage in given for term in terms(passage.text)}
        theirs: list[Claim] = []
        for message in messages:
            if message["role"] == "user":
                theirs += claims(message["content"], self._statements.names)
                words.update(terms(message["content"]))
                continue
            stated = claims(body(message["content"]), self._statements.names)
            if not all(_stands(claim, known, theirs) for claim in stated):
                return "not_in_passage"
            if any(_is_new(sentence, words) for sentence in _conditions(message["content"])):
                return "condition_not_in_passage"
        return "contradicts_passage" if self._contradicts(messages, given) else None

    def _contradicts(self, messages: Sequence[Message], given: Sequence[Passage]) -> bool:
        articles = {passage.article for passage in given}
        relevance = np.array([float(article in articles) for article in self._statements.articles])
        value = factuality(self._check.findings(Dialogue(messages), relevance))
        return value is not None and value <= _CONTRADICTED


def _stands(claim: Claim, known: Sequence[Claim], theirs: Sequence[Claim]) -> bool:
    if any(agree(claim, other) for other in (*known, *theirs)):
        return True
    numbers = [other.number for other in (*known, *theirs) if other.number is not None]
    own = [other.number for other in theirs if other.number is not None]
    return any(is_derived(claim, [one, other]) for one in own for other in numbers)


def _conditions(answer: str) -> Iterator[str]:
    return (sentence for sentence in sentences(body(answer)) if _CONDITION.search(sentence))


def _is_new(sentence: str, words: set[str]) -> bool:
    said = terms(sentence)
    return len(said) >= _FEW_TERMS and sum(term in words for term in said) < _KNOWN_TERMS * len(said)


def _has_new_digits(messages: Sequence[Message], given: Sequence[Passage]) -> bool:
    known = {number for passage in given for number in _numbers(passage.text)}
    for message in messages:
        if message["role"] == "user":
            known |= _numbers(message["content"])
        elif not _numbers(message["content"]) <= known:
            return True
    return False


def _numbers(text: str) -> set[str]:
    """Numbers in digits, whatever separates thousands and decimals: "4.50" and "4,50" are the same."""
    found = _DIGITS.findall(unicodedata.normalize("NFKC", _NO_NUMBER.sub(" ", text)))
    return {re.sub(r"[.,]", "", number).lstrip("0") or "0" for number in found}
