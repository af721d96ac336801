"""Signatures of texts, from which those that are nearly the same can be found without comparing all pairs.

MinHash of character 5-grams: the share of equal numbers in two signatures estimates the Jaccard similarity of
the texts' sets of 5-grams (Broder 1997), with rensa's fast similarity sketch (Dahlgaard et al. 2017).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5
PERMUTATIONS = 128
_SEED = 42
_THREADS = "RAYON_NUM_THREADS"


def signatures(texts: Sequence[str], permutations: int = PERMUTATIONS) -> NDArray[np.uint32]:
    """Return the texts' signatures, (n, permutations); each depends on its text alone, on every machine."""
    from rensa import RMinHash

    if not texts:
        return np.empty((0, permutations), np.uint32)
    hashes, offsets = _shingle_hashes(texts)
    with _one_thread():
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, permutations, _SEED)
    values = chain.from_iterable(matrix.to_rows())
    return np.fromiter(values, np.uint32, len(texts) * permutations).reshape(-1, permutations)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep rensa from starting threads, which it does at its first large call.

    Tasks are processes already, and a process that is forked from one with such threads would hang.
    """
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        del os.environ[_THREADS]
        if before is not None:
            os.environ[_THREADS] = before


def _shingle_hashes(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A 64-bit hash of every 5-gram of every text, and where each text's begin; a shorter text is one."""
    padded = [text.ljust(SHINGLE, "\0") for text in texts]
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    count = len(points) - SHINGLE + 1
    hashes = np.zeros(count, np.uint64)
    for place in range(SHINGLE):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + points[place : place + count]
    inside = np.ones(count, np.bool_)
    ends = np.cumsum(lengths)
    for place in range(1, SHINGLE):
        inside[ends[:-1] - place] = False
    offsets = np.concatenate([[0], np.cumsum(lengths - SHINGLE + 1)]).astype(np.uint64)
    return _mix(hashes[inside]), offsets


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: every bit of the input changes half of the output's."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
