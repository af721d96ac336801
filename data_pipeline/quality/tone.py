"""What kind of reply it is, by its embedding: a good one, or one with a fault of its tone.

A multinomial logistic regression on the vectors of `examples.yaml`, sentences written for the project, and of
the knowledge base's statements as more of the good kind, which are in the words of the company's trade.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.encoder import Embedder, Vectors
from data_pipeline.quality.sentences import core

GOOD = "good"

_C = 10.0
"""Inverse strength of the L2 penalty. From 1 to 100 the AUC of each fault on seed 11 moves by .03 at most."""
_MOST_STATEMENTS = 300
"""Of the knowledge base, evenly taken: as many as the examples, so that they do not drown them."""


class ToneHead:
    """Probabilities of `kinds` for vectors of replies.

    Attributes:
        kinds: the keys of `examples.yaml`, sorted.
        good: vectors of its good replies, shape (replies, dim), which other replies are compared with.
    """

    def __init__(self, embedder: Embedder, statements: Sequence[str] = ()) -> None:
        from sklearn.linear_model import LogisticRegression

        texts, kinds = _examples()
        vectors = embedder.embed(texts)
        self.good: Vectors = vectors[[kind == GOOD for kind in kinds]]
        step = max(1, -(-len(statements) // _MOST_STATEMENTS))
        if chosen := list(statements[::step]):
            vectors = np.concatenate([vectors, embedder.embed(chosen)])
            kinds = [*kinds, *[GOOD] * len(chosen)]
        # Balanced, because the examples' shares say nothing about a company's replies.
        model = LogisticRegression(C=_C, max_iter=2000, class_weight="balanced").fit(vectors, kinds)
        self.kinds: list[str] = [str(kind) for kind in model.classes_]
        self._weights: NDArray[np.float64] = model.coef_
        self._bias: NDArray[np.float64] = model.intercept_

    def probabilities(self, vectors: Vectors) -> list[Mapping[str, float]]:
        """Of each kind, for each vector; they add up to 1."""
        found: list[Mapping[str, float]] = []
        for vector in vectors:  # one by one: a matrix product's last digits depend on the other rows
            logits = self._weights @ vector.astype(np.float64) + self._bias
            weights = np.exp(logits - logits.max())
            found.append(dict(zip(self.kinds, (weights / weights.sum()).tolist(), strict=True)))
        return found


def _examples() -> tuple[list[str], list[str]]:
    """Sentences of the written replies and their kinds, in the order of the file."""
    import yaml

    written = yaml.safe_load(Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8"))
    pairs = [
        (sentence, kind)
        for kind, replies in written.items()
        for reply in replies
        for sentence in core(reply) or [reply]
    ]
    return [text for text, _ in pairs], [kind for _, kind in pairs]
