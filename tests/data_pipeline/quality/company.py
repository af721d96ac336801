"""A small company to test with: knowledge base, an embedder whose vectors are known, conversations."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from common.chat import Message
from common.encoder import Vectors
from common.retrieval import Passage
from common.retrieval.words import terms
from data_pipeline.quality.dialogue import Dialogue

PASSAGES = [
    Passage(
        "returns#1",
        "returns",
        "Returning tents\nTents can be returned within 30 days of delivery, unused and in their bag.\n"
        "The label costs $6. Sleeping bags cannot be returned for hygiene.",
    ),
    Passage(
        "shipping#1",
        "shipping",
        "Shipping\n| Service | Time | Price |\n|---|---|---|\n"
        "| Standard | 3 to 5 days | $4, free from $50 |\n"
        "| Express | 1 day | $12 |\nParcels are packed in the hall at **Mill Lane** until 4 p.m.",
    ),
    Passage(
        "repairs#1",
        "repairs",
        "Repairs\nTorn poles are repaired at **Harbour Street**, which takes 2 weeks.\n"
        "| Pole | Length (cm) |\n|---|---|\n| Short | 240 |",
    ),
]


class Words:
    """A text's vector counts its words, each in a place that its hash chooses."""

    dim = 64

    def __init__(self) -> None:
        self.truncated = 0
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str], *, normalise: bool = True) -> Vectors:
        self.texts += texts
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in terms(text):
                vectors[row, int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.dim] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def dialogue(*contents: str, cut: Sequence[str] = (), **settings: Any) -> Dialogue:
    """Customer and agent in turn."""
    return Dialogue(_turns(contents), _turns(cut), **settings)


def _turns(contents: Sequence[str]) -> list[Message]:
    return [
        {"role": "assistant" if place % 2 else "user", "content": content}
        for place, content in enumerate(contents)
    ]
