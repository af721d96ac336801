"""Hybrid search over a few passages, with an embedder whose vectors are known."""

import numpy as np
import pytest

from common.retrieval import Passage, Retriever
from common.retrieval.search import LEXICAL_WEIGHT

TOPICS = ("money", "parcel", "book")
TOPIC_OF = {"refund": 0, "paid": 0, "parcel": 1, "courier": 1, "volume": 2, "jacket": 2}


class Topics:
    """A text's vector says how often it speaks of money, parcels and books."""

    dim = len(TOPICS)
    truncated = 0

    def embed(self, texts, *, normalise=True):
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for word, topic in TOPIC_OF.items():
                vectors[row, topic] += text.lower().count(word)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


PASSAGES = [
    Passage("refunds#1", "refunds", "We refund within 5 days."),
    Passage("refunds#2", "refunds", "Gift cards: the refund goes to the card."),
    Passage("tracking#1", "tracking", "A courier brings the parcel."),
    Passage("damage#1", "damage", "A torn jacket: send a photo of the volume."),
    Passage("damage#2", "damage", "A torn jacket: send a photo of the volume."),
]


@pytest.fixture(scope="module")
def retriever():
    return Retriever(PASSAGES, Topics())


def ids(hits):
    return [hit.id for hit in hits]


def test_meaning_finds_what_shares_no_word(retriever):
    assert ids(retriever.search("I paid too much", k=2)) == ["refunds#1", "refunds#2"]


def test_words_decide_where_the_meaning_is_the_same(retriever):
    assert ids(retriever.search("refund for my gift cards", k=1)) == ["refunds#2"]


def test_a_hit_tells_what_was_found_and_its_score_is_the_sum(retriever):
    query = "torn volume"
    [hit] = retriever.search(query, k=1)
    cosine, bm25 = retriever.cosines([query])[0, 3], retriever.bm25([query])[0, 3]
    assert (hit.id, hit.article, hit.text) == ("damage#1", "damage", PASSAGES[3].text)
    assert cosine == pytest.approx(1)
    assert bm25 > 0
    assert hit.score == pytest.approx(cosine + LEXICAL_WEIGHT * bm25, abs=1e-5)


def test_equal_passages_stand_in_their_order_even_where_rounding_differs(retriever, monkeypatch):
    exact = retriever.cosines

    def rounded_otherwise(queries):
        return exact(queries) + np.float32(1e-7) * np.arange(len(PASSAGES), dtype=np.float32)

    assert ids(retriever.search("volume", k=2)) == ["damage#1", "damage#2"]
    monkeypatch.setattr(retriever, "cosines", rounded_otherwise)
    assert ids(retriever.search("volume", k=2)) == ["damage#1", "damage#2"]


def test_a_batch_gives_what_single_queries_give(retriever):
    queries = ["torn jacket", "", "where is the courier", "返品"]
    assert retriever.search_batch(queries, 3) == [retriever.search(query, 3) for query in queries]


def test_each_article_once_by_its_best_passage(retriever):
    [hits] = retriever.search_batch(["torn jacket, refund to my gift card"], 3, per_article=True)
    assert ids(hits) == ["refunds#2", "damage#1", "tracking#1"]


def test_no_more_hits_than_passages(retriever):
    assert len(retriever.search("volume", k=99)) == len(PASSAGES)
    assert [len(hits) for hits in retriever.search_batch(["volume"], 99, per_article=True)] == [3]


def test_no_query_no_hits(retriever):
    assert retriever.search_batch([]) == []
