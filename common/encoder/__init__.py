"""Embeddings of texts: one vector a text, the mean of its tokens' last hidden states.

vectors = Encoder("embedded").embed(texts)               # common.encoder.model: any model, in PyTorch
vectors = OnnxEncoder(Path("out/encoder")).embed(texts)  # common.encoder.runtime: exported, without PyTorch

This module imports neither, so that what only takes an `Embedder` stays light.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """What turns texts into vectors.

    Attributes:
        dim: length of a vector.
        truncated: how many of the texts embedded so far were cut to the model's maximum length.
    """

    dim: int
    truncated: int

    def embed(self, texts: Sequence[str], *, normalise: bool = True) -> Vectors:
        """Vectors of shape (texts, dim) in the order of the texts, of length 1 where `normalise` is set."""
        ...
