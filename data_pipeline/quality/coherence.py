"""Whether the reply answers the question, by embeddings: nearer to it than replies to others are."""

from common.encoder import Vectors
from data_pipeline.quality.knowledge import Array, Knowledge

_WORST, _BEST = -0.3, 0.35
"""Of `raw_coherence`. 5 % of the good conversations of seed 11 lie below .37 with these, which is about where
they lie with the other components, of which the lowest counts (`scores.combine`)."""
_ARTICLE = 0.5
"""What the articles count beside the cosines. On seed 11, .3 and 1 are as good for replies off the topic."""


def raw_coherence(questions: Vectors, reply: Vectors, others: Vectors, articles: float = 0.0) -> float:
    """How much nearer the reply is to the question than other replies, in cosines.

    Args:
        questions: shape (questions, dim): the customer's first words, and those before the reply. The nearer
            one counts.
        reply: shape (dim,).
        others: shape (replies, dim), good replies to other customers of other companies.
        articles: `article_gap`, where there is a knowledge base.
    """
    near = max(float(question @ reply) - float(others.mean(axis=0) @ question) for question in questions)
    return near - _ARTICLE * articles


def article_gap(knowledge: Knowledge, asked: Array, said: Array) -> float:
    """How far the article that a reply draws on is from the one that the question asks for; 0 for the same.

    Args:
        asked, said: scores of the passages for both texts (`Knowledge.scores`).
    """
    wanted, given = knowledge.by_article(asked), knowledge.by_article(said)
    return float(wanted.max() - wanted[given.argmax()])


def coherence(raw: float) -> float:
    """`raw_coherence` as 0 to 1."""
    return min(1.0, max(0.0, (raw - _WORST) / (_BEST - _WORST)))
