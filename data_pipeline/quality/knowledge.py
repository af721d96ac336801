"""The knowledge base of a company: its passages to search, its statements to compare with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from common.encoder import Embedder
from common.retrieval import Passage, Retriever
from common.retrieval.bm25 import Bm25
from common.retrieval.search import LEXICAL_WEIGHT
from common.retrieval.words import terms
from data_pipeline.quality.factuality import FactCheck
from data_pipeline.quality.statements import Statements

Array = NDArray[np.float64]

_NOTHING, _ENOUGH = 0.3, 0.9
"""Scores of the best passage for a reply that says nothing of the company's, and for one that says enough: on
seed 11 the median of replies written to be vague, and the 40th percentile of the good ones."""
_NOTHING_BY_WORDS, _ENOUGH_BY_WORDS = 0.1, 0.4
"""The same without an encoder."""


class Knowledge:
    """Passages by meaning and words, or by words alone where there is no encoder.

    Attributes:
        passages: in order.
        statements: what they say, sentence by sentence.
        check: compares replies with them.
    """

    def __init__(self, passages: Sequence[Passage], embedder: Embedder | None) -> None:
        self.passages = list(passages)
        self.statements = Statements(passages)
        self.check = FactCheck(self.statements)
        self._retriever = Retriever(passages, embedder) if embedder else None
        self._bm25 = Bm25([terms(passage.text) for passage in passages]) if embedder is None else None
        index = {article: place for place, article in enumerate(self.statements.articles)}
        self._article_of = np.array([index[passage.article] for passage in passages], dtype=np.intp)

    def scores(self, text: str, words: str | None = None) -> Array:
        """Shape (passages,): `Retriever`'s score for `text`, with BM25 for `words` where these are others."""
        if self._retriever is None:
            assert self._bm25 is not None
            return LEXICAL_WEIGHT * self._bm25.scores(terms(words or text)).astype(np.float64)
        cosines = self._retriever.cosines([text])[0].astype(np.float64)
        return cosines + LEXICAL_WEIGHT * self._retriever.bm25([words or text])[0]

    def grounding(self, scores: Array) -> float:
        """How much of what the knowledge base holds is in a text with these `scores`, 0 to 1."""
        by_words = self._retriever is None
        low, high = (_NOTHING_BY_WORDS, _ENOUGH_BY_WORDS) if by_words else (_NOTHING, _ENOUGH)
        return float(min(1.0, max(0.0, (scores.max() - low) / (high - low))))

    def by_article(self, scores: Array) -> Array:
        """Shape (articles,): the best of each article's passages."""
        best = np.full(len(self.statements.articles), -np.inf)
        np.maximum.at(best, self._article_of, scores)
        return best

    def best(self, scores: Array, k: int) -> list[str]:
        """The texts of the `k` best passages, the best first; of equal ones, the earlier one first."""
        return [self.passages[place].text for place in np.argsort(-np.round(scores, 5), kind="stable")[:k]]
