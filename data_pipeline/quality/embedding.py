"""Vectors of a batch's texts, each computed once, whoever asks for it."""

from collections.abc import Sequence

import numpy as np

from common.encoder import Embedder, Vectors


class Remembering:
    """An `Embedder` that keeps the vectors of the texts it was told to `remember`, until the next ones.

    So the retriever, the coherence and the tone head share them. Texts are embedded in the order given: a
    vector may depend on its batch-mates in int8 (`common.encoder.runtime`), unless the embedder takes one at
    a time, as `ScoreQuality`'s does.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self.dim = embedder.dim
        self._known: dict[str, Vectors] = {}

    @property
    def truncated(self) -> int:
        return self.embedder.truncated

    @truncated.setter
    def truncated(self, count: int) -> None:
        self.embedder.truncated = count

    def remember(self, texts: Sequence[str]) -> None:
        """Embed `texts`, and forget all others."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        known = {text: self._known[text] for text in texts if text in self._known}
        vectors = self.embedder.embed(missing)
        self._known = known | dict(zip(missing, vectors, strict=True))

    def embed(self, texts: Sequence[str], *, normalise: bool = True) -> Vectors:
        """See `Embedder`; normalised vectors only are remembered."""
        if not normalise or not all(text in self._known for text in texts):
            return self.embedder.embed(texts, normalise=normalise)
        return np.stack([self._known[text] for text in texts])

    def one(self, text: str) -> Vectors:
        """The vector of a text that was remembered, shape (dim,)."""
        return self._known[text]
