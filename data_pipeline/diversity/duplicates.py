"""Rows that mean the same as a better one, found by semhash over the conversations' own vectors.

semhash goes through the rows, best first, and drops one that is near a row it has kept; so of three rows in a
chain the last stays if it is far enough from the first. Its own search is approximate (HNSW) and finds other
neighbours with another number of threads; `_exact_index` takes its place and compares all pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from common.seeds import SAMPLER, unit_hash
from data_pipeline.diversity.config import DuplicateConfig

if TYPE_CHECKING:
    from semhash import SemHash
    from semhash.index import Index

Floats = NDArray[np.floating]
Neighbours = tuple[NDArray[np.int32], NDArray[np.float32]]
_BLOCK = 2048  # rows; the cosines of two blocks take 16 MB
_ROUNDING = 1e-5


@dataclass(frozen=True)
class SemanticDuplicate:
    """Row `row` means the same as row `of`, which is kept: places in the frame, and the cosine."""

    row: int
    of: int
    cosine: float


def semantic_duplicates(
    ids: Sequence[str],
    scores: Sequence[float | None],
    languages: Sequence[str | None],
    embeddings: Floats,
    config: DuplicateConfig,
) -> list[SemanticDuplicate]:
    """Rows to leave out, by place. Which, depends neither on the rows' order nor on the number of threads.

    Args:
        ids: of the rows, each once.
        scores: the higher, the sooner a row is kept; None and NaN come last, a hash of the id decides ties.
        languages: ISO 639-1; rows in others than `config.languages` are left alone, those with None are not.
        embeddings: a vector a row, shape (rows, dim), of any float type; a row of zeros (no text) is like
            nothing. For 100,000 rows of 384 half a gigabyte is taken, and about a minute of one core; time
            grows with the square of the rows.
    """
    compared = [place for place, name in enumerate(languages) if name is None or name in config.languages]
    if not compared:
        return []
    order = _best_first(compared, ids, scores)
    vectors = np.asarray(embeddings[order], dtype=np.float32)
    found = _semhash([str(place) for place in order], vectors).self_deduplicate(config.threshold).filtered
    pairs = [SemanticDuplicate(int(each.record), int(each.duplicate_of), float(each.score)) for each in found]
    return sorted(pairs, key=lambda pair: pair.row)


def semantic_repeats(
    languages: Sequence[str | None], embeddings: Floats, others: Floats, config: DuplicateConfig
) -> list[SemanticDuplicate]:
    """Rows that mean the same as one of `others`, by place; `of` is the place of the likest of these.

    Args:
        languages, embeddings: as for `semantic_duplicates`.
        others: vectors of rows that are to stay, shape (others, dim).
    """
    if not len(others):
        return []
    against = _unit(others)
    compared = [place for place, name in enumerate(languages) if name is None or name in config.languages]
    found: list[SemanticDuplicate] = []
    for start in range(0, len(compared), _BLOCK):
        places = compared[start : start + _BLOCK]
        cosines = _unit(embeddings[places]) @ against.T
        nearest = cosines.argmax(axis=1)
        best = cosines[np.arange(len(places)), nearest]
        found += [
            SemanticDuplicate(places[row], int(nearest[row]), float(best[row]))
            for row in np.flatnonzero(best >= config.threshold - _ROUNDING)
        ]
    return found


def _unit(vectors: Floats) -> NDArray[np.float32]:
    """Of length 1; zeros stay zeros."""
    vectors = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float32)
    norms[norms == 0] = 1
    return vectors / norms


def _best_first(places: Sequence[int], ids: Sequence[str], scores: Sequence[float | None]) -> list[int]:
    def key(place: int) -> tuple[float, float, str]:
        score = scores[place]
        is_missing = score is None or score != score
        return (np.inf if is_missing else -float(score or 0), unit_hash(ids[place], SAMPLER), ids[place])

    return sorted(places, key=key)


def _semhash(records: list[str], vectors: NDArray[np.float32]) -> "SemHash[str]":
    from semhash import SemHash

    index = _exact_index(vectors, [[{"text": record}] for record in records])
    return SemHash(index, _NoEncoder(), ["text"], was_string=True)


class _NoEncoder:
    """semhash wants an encoder for texts that come later; none do."""

    def encode(self, inputs: Sequence[str] | str, **kwargs: object) -> NDArray[np.float32]:
        raise NotImplementedError("the vectors are given")


def _exact_index(vectors: NDArray[np.float32], items: list[list[dict[str, str]]]) -> "Index":
    from semhash.index import Index
    from semhash.utils import MAX_NEIGHBORS

    class ExactIndex(Index):
        """Finds the rows before each row, which are all that semhash compares it with."""

        def query_threshold(self, vectors: NDArray[np.float32], threshold: float) -> list[Neighbours]:
            return _earlier_neighbours(vectors, threshold - _ROUNDING, MAX_NEIGHBORS)

    return ExactIndex(_unit(vectors), items, backend=None)  # type: ignore[arg-type]  # only its own search uses it


def _earlier_neighbours(vectors: NDArray[np.float32], threshold: float, at_most: int) -> list[Neighbours]:
    """For each row the first rows before it with a cosine of at least `threshold`, and the cosines.

    semhash computes the cosines that count itself, so these are raised by what rounding may have taken.
    When a row has `at_most` neighbours, semhash compares it with all rows kept, and nothing is missed.
    """
    found: list[Neighbours] = []
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        pairs = [np.zeros((0, 2), dtype=np.int32)]
        cosines = [np.zeros(0, dtype=np.float32)]
        for other in range(0, start + len(block), _BLOCK):
            similar = block @ vectors[other : other + _BLOCK].T
            if other == start:
                similar = np.tril(similar, -1)
            rows, columns = np.nonzero(similar >= threshold)
            pairs.append(np.column_stack([rows, columns + other]).astype(np.int32))
            cosines.append(similar[rows, columns])
        found += _by_row(np.concatenate(pairs), np.concatenate(cosines), len(block), at_most)
    return found


def _by_row(
    pairs: NDArray[np.int32], cosines: NDArray[np.float32], rows: int, at_most: int
) -> list[Neighbours]:
    order = np.argsort(pairs[:, 0], kind="stable")
    pairs, cosines = pairs[order], cosines[order] + np.float32(2 * _ROUNDING)
    starts = np.searchsorted(pairs[:, 0], np.arange(rows + 1))
    slices = [slice(a, min(b, a + at_most)) for a, b in pairwise(starts)]
    return [(pairs[each, 1].copy(), cosines[each].copy()) for each in slices]
