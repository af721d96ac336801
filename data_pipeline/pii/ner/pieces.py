"""Vectors of word pieces, taken from the project's encoder: they know which words are alike.

Names, places and everyday words lie apart in them, also those that no training sentence holds.
"""

from pathlib import Path

import torch
from torch import Tensor

from common.encoder import embedded

KEPT = 160


def load_pieces() -> tuple[list[str], Tensor]:
    """The vocabulary, and a vector of length 160 for each piece: the encoder's own, on their main axes."""
    from safetensors.torch import load_file

    folder = Path(embedded.source(embedded.EMBEDDED))
    vocabulary = (folder / "vocab.txt").read_text("utf-8").split("\n")
    vocabulary = vocabulary[:-1] if not vocabulary[-1] else vocabulary
    vectors = load_file(str(folder / "model.safetensors"))["embeddings.word_embeddings.weight"].float()
    centred = vectors - vectors.mean(dim=0)
    _, axes = torch.linalg.eigh(centred.T @ centred)
    kept = centred @ axes[:, -KEPT:]
    return vocabulary, kept / kept.std()
