"""BM25 as its formula says."""

from math import log

import numpy as np
import pytest

from common.retrieval.bm25 import Bm25

DOCUMENTS = [["order", "late", "order"], ["refund"], ["order", "refund", "card", "bank"], []]


def by_formula(query: str, document: list[str]) -> float:
    """Robertson and Zaragoza 2009, equation 3.15, for one term, with the idf of Lucene."""
    having = sum(query in other for other in DOCUMENTS)
    idf = log(1 + (len(DOCUMENTS) - having + 0.5) / (having + 0.5))
    average = sum(map(len, DOCUMENTS)) / len(DOCUMENTS)
    count = document.count(query)
    return idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(document) / average))


@pytest.mark.parametrize("term", ["order", "refund", "bank", "unheard"])
def test_scores_are_those_of_the_formula(term):
    expected = [by_formula(term, document) for document in DOCUMENTS]
    np.testing.assert_allclose(Bm25(DOCUMENTS).scores([term]), expected, rtol=1e-6)


def test_terms_add_up_and_count_once():
    index = Bm25(DOCUMENTS)
    both = index.scores(["order", "refund", "order"])
    np.testing.assert_allclose(both, index.scores(["order"]) + index.scores(["refund"]), rtol=1e-6)


@pytest.mark.parametrize("documents", [[], [[]]])
def test_without_any_term_nothing_scores(documents):
    assert Bm25(documents).scores(["order"]).tolist() == [0] * len(documents)
