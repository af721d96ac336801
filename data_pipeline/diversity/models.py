"""What topics and label noise have in common: a logistic regression on vectors, the same on any machine."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from common.seeds import unit_hash

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
_CHUNK = 8192
_C = 10.0  # with the default of 1, probabilities from unit vectors are nearly all below a half
_ITERATIONS = 100  # after 50 the labels suspected are nearly the same as after 200


def hash_order(keys: Sequence[str], seed: int) -> Ints:
    """The places of `keys` in an order that depends on each key alone: the first n are a sample of n."""
    draws = [unit_hash(key, seed) for key in keys]
    order = sorted(range(len(keys)), key=lambda place: (draws[place], keys[place]))
    return np.array(order, dtype=np.int64)


def chunks(vectors: Floats) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """The vectors a few thousand at a time as float32, so that a file of float16 need not fit in memory."""
    for start in range(0, len(vectors), _CHUNK):
        part = slice(start, start + _CHUNK)
        yield part, np.asarray(vectors[part], dtype=np.float32)


class Regression:
    """Multinomial logistic regression; classes are numbers below `classes`.

    Fitted on one thread: with more, sums come in another order, and a result in another last digit.
    """

    def __init__(self, vectors: Floats, labels: Ints, classes: int) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        self.classes = classes
        self._model = LogisticRegression(C=_C, max_iter=_ITERATIONS)
        with threadpool_limits(limits=1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(np.asarray(vectors, dtype=np.float32), labels)

    def probabilities(self, vectors: Floats) -> NDArray[np.float64]:
        """Shape (rows, classes); 0 for a class that the model has not seen."""
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        result = np.zeros((len(vectors), self.classes))
        with threadpool_limits(limits=1):
            for part, chunk in chunks(vectors):
                result[part, self._model.classes_] = self._model.predict_proba(chunk)
        return result
