"""Okapi BM25 (Robertson and Zaragoza 2009), with the idf of Lucene, which is never negative."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

_K1, _B = 1.2, 0.75


class Bm25:
    """An index of documents, each a list of terms."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self.size = len(documents)
        average = sum(map(len, documents)) / max(1, self.size) or 1.0
        found: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, document in enumerate(documents):
            length = 1 - _B + _B * len(document) / average
            for term, count in Counter(document).items():
                found[term].append((place, count * (_K1 + 1) / (count + _K1 * length)))
        self._postings: dict[str, tuple[NDArray[np.intp], NDArray[np.float32]]] = {}
        for term, entries in found.items():
            idf = log(1 + (self.size - len(entries) + 0.5) / (len(entries) + 0.5))
            places, weights = zip(*entries, strict=True)
            self._postings[term] = np.array(places), np.array(weights, dtype=np.float32) * np.float32(idf)

    def scores(self, query: Sequence[str]) -> NDArray[np.float32]:
        """Shape (documents,): how well each document answers `query`, whose terms count once."""
        scores = np.zeros(self.size, dtype=np.float32)
        for term in dict.fromkeys(query):
            if term in self._postings:
                places, weights = self._postings[term]
                scores[places] += weights
        return scores
