"""Spans as one tag a token, and back: B begins, I goes on, E ends, S is alone, O is outside."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data_pipeline.pii.ner.tokens import Tokens
from data_pipeline.pii.spans import Span

ENTITY_TYPES = ("PERSON", "LOCATION", "ORGANIZATION", "ADDRESS")
TAGS = ("O", *(f"{prefix}-{entity}" for entity in ENTITY_TYPES for prefix in "BIES"))
_NUMBER = {tag: number for number, tag in enumerate(TAGS)}


def _allowed() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """0 where a tag may follow another (or stand first, or last), minus infinity elsewhere."""
    size = len(TAGS)
    steps = np.full((size, size), -np.inf, dtype=np.float32)
    for i, one in enumerate(TAGS):
        for j, two in enumerate(TAGS):
            goes_on = two[0] in "IE" and two[2:] == one[2:]
            if goes_on if one[0] in "BI" else two[0] in "OBS":
                steps[i, j] = 0
    first = np.array([0 if tag[0] in "OBS" else -np.inf for tag in TAGS], dtype=np.float32)
    last = np.array([0 if tag[0] in "OES" else -np.inf for tag in TAGS], dtype=np.float32)
    return steps, first, last


_STEPS, _FIRST, _LAST = _allowed()
_MAY_FOLLOW = _STEPS == 0
_MAY_START = _FIRST == 0
_MAY_END = _LAST == 0


def encode(tokens: Tokens, spans: Sequence[Span]) -> list[int]:
    """A tag's number for each token. A token that a span covers in part belongs to it."""
    numbers = [0] * len(tokens.words)
    for span in spans:
        inside = [
            i
            for i, (start, word) in enumerate(zip(tokens.starts, tokens.words, strict=True))
            if start < span.end and start + len(word) > span.start
        ]
        for i in inside:
            prefix = "S" if len(inside) == 1 else "B" if i == inside[0] else "E" if i == inside[-1] else "I"
            numbers[i] = _NUMBER[f"{prefix}-{span.entity_type}"]
    return numbers


def decode(tokens: Tokens, scores: NDArray[np.float32]) -> list[Span]:
    """The spans of the best sequence of tags that is well formed.

    `scores` has shape (tokens, TAGS). A span's score is the mean probability of its entity type.
    """
    best = scores.argmax(axis=1)
    if not best.any():
        return []
    well_formed = _MAY_START[best[0]] and _MAY_END[best[-1]] and _MAY_FOLLOW[best[:-1], best[1:]].all()
    path = best.tolist() if well_formed else _viterbi(scores)
    spans: list[Span] = []
    begin = 0
    for i, number in enumerate(path):
        tag = TAGS[number]
        if tag[0] in "BS":
            begin = i
        # Invisible characters and signs alone are no name, whatever the network says.
        if tag[0] in "ES" and any(word.isalnum() for word in tokens.words[begin : i + 1]):
            end = tokens.starts[i] + len(tokens.words[i])
            score = _probability(scores[begin : i + 1], number)
            spans.append(Span(tokens.starts[begin], end, tag[2:], score))
    return spans


def _viterbi(scores: NDArray[np.float32]) -> list[int]:
    total = scores[0] + _FIRST
    came_from = []
    for row in scores[1:]:
        paths = total[:, None] + _STEPS
        source = paths.argmax(axis=0)
        came_from.append(source)
        total = paths[source, np.arange(len(TAGS))] + row
    path = [int((total + _LAST).argmax())]
    for source in reversed(came_from):
        path.append(int(source[path[-1]]))
    return path[::-1]


def _probability(scores: NDArray[np.float32], number: int) -> float:
    first = number - (number - 1) % 4
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    share = weights[:, first : first + 4].sum(axis=1) / weights.sum(axis=1)
    return round(float(share.mean()), 4)
