"""Search by meaning (embeddings) and by words (BM25) together; every passage is scored, so it is exact."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.encoder import Embedder
from common.retrieval.bm25 import Bm25
from common.retrieval.passages import Passage
from common.retrieval.words import terms

LEXICAL_WEIGHT = 0.015
"""What a point of BM25 counts beside a cosine. On the sample company's tickets this sum finds more articles
than reciprocal rank fusion: BM25 gains weight with the words of a question (`benchmarks/retrieval.py`)."""

_DIGITS = 5  # rounding of a float32 differs with the batch; equal passages must not change places for it

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Hit:
    """A passage that was found. Scores (cosine + LEXICAL_WEIGHT * BM25) compare the hits of one query."""

    id: str
    article: str
    text: str
    score: float


class Retriever:
    """Searches `passages`, which are embedded once, at the start."""

    def __init__(self, passages: Sequence[Passage], embedder: Embedder) -> None:
        self.passages = list(passages)
        self.embedder = embedder
        self._vectors = embedder.embed([passage.text for passage in self.passages])
        self._index = Bm25([terms(passage.text) for passage in self.passages])

    def search(self, query: str, k: int = 5) -> list[Hit]:
        """The best `k` passages for `query`, the best first; of equal ones, the earlier one first."""
        return self.search_batch([query], k)[0]

    def search_batch(
        self, queries: Sequence[str], k: int = 5, *, per_article: bool = False
    ) -> list[list[Hit]]:
        """`search` for many queries, faster; with `per_article`, the best passage of each of `k` articles."""
        scores = self.cosines(queries) + LEXICAL_WEIGHT * self.bm25(queries)
        return [self._best(row, k, per_article) for row in np.round(scores, _DIGITS)]

    def cosines(self, queries: Sequence[str]) -> Scores:
        """Shape (queries, passages)."""
        return self.embedder.embed(queries) @ self._vectors.T

    def bm25(self, queries: Sequence[str]) -> Scores:
        """Shape (queries, passages)."""
        scores = np.zeros((len(queries), len(self.passages)), dtype=np.float32)
        for row, query in zip(scores, queries, strict=True):
            row += self._index.scores(terms(query))
        return scores

    def _best(self, scores: Scores, k: int, per_article: bool) -> list[Hit]:
        hits: list[Hit] = []
        articles: set[str] = set()
        for place in np.argsort(-scores, kind="stable"):
            passage = self.passages[place]
            if len(hits) == k:
                break
            if not (per_article and passage.article in articles):
                articles.add(passage.article)
                hits.append(
                    Hit(passage.id, passage.article, passage.text, round(float(scores[place]), _DIGITS))
                )
        return hits
