"""What both encoders share: tokens in batches of like length, vectors in the order of the texts."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from common.encoder import Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH_TOKENS = 1024
"""Fewer leave cores idle, more leave the cache: within 10 % of the fastest from 8 to 256 tokens a text."""

_TEXTS_AT_ONCE = 1024  # the tokenizer's records take far more memory than the ids that are kept of them


@dataclass(frozen=True)
class Batch:
    """Texts of like length: their places in the call, and arrays of shape (texts, longest)."""

    places: list[int]
    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]


class BatchEmbedder(ABC):
    """An `Embedder` that tokenises, sorts and batches; a subclass runs the model.

    Args:
        tokenizer: cuts texts to the model's maximum length, and does not pad.
        pad_id: the token that fills up the shorter texts of a batch.
        dim: length of a vector.
        batch_tokens: the most tokens of a batch, padding included; a longer text is a batch of its own.
    """

    def __init__(self, tokenizer: "Tokenizer", pad_id: int, dim: int, batch_tokens: int) -> None:
        self.tokenizer = tokenizer
        self.pad_id = pad_id
        self.dim = dim
        self.batch_tokens = batch_tokens
        self.truncated = 0

    def embed(self, texts: Sequence[str], *, normalise: bool = True) -> Vectors:
        """See `Embedder`. An empty text has the vector of the special tokens that every text gets.

        Where a tokenizer adds none, it has zeros.
        """
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for batch in batches(self._tokenise(texts), self.pad_id, self.batch_tokens):
            vectors[batch.places] = self._pooled(batch)
        if normalise:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors

    @abstractmethod
    def _pooled(self, batch: Batch) -> Vectors:
        """Shape (texts, dim): the mean of the hidden states of each text's tokens."""

    def _tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        rows: list[list[int]] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            for encoding in self.tokenizer.encode_batch_fast(list(texts[start : start + _TEXTS_AT_ONCE])):
                self.truncated += bool(encoding.overflowing)
                rows.append(encoding.ids)
        return rows


def batches(rows: Sequence[Sequence[int]], pad_id: int, batch_tokens: int) -> Iterator[Batch]:
    """Yield the token ids of `rows`, longest first: if memory is short, that shows at once.

    Rows without a token are left out.
    """
    order = sorted((place for place in range(len(rows)) if rows[place]), key=lambda place: -len(rows[place]))
    start = 0
    while start < len(order):
        width = len(rows[order[start]])
        places = order[start : start + max(1, batch_tokens // width)]
        input_ids = np.full((len(places), width), pad_id, dtype=np.int64)
        attention_mask = np.zeros_like(input_ids)
        for line, place in enumerate(places):
            input_ids[line, : len(rows[place])] = rows[place]
            attention_mask[line, : len(rows[place])] = 1
        yield Batch(places, input_ids, attention_mask)
        start += len(places)
