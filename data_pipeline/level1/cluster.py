"""Clusters of conversations that say nearly the same, and which of each cluster is kept.

    clusters = cluster(work, shards, ranks, held_out, config)
    clusters.reasons[row]   # None: kept; or duplicate, near_duplicate, in_holdout
    clusters.kept[row]      # the row that stands for the row's cluster, -1 where it is alone

Whole texts are in memory only while they are compared, see `Records`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data_pipeline.level1.candidates import Rows, agreeing, bands
from data_pipeline.level1.config import NearDuplicates
from data_pipeline.level1.records import ASSISTANT_PERMUTATIONS, Records
from data_pipeline.level1.signatures import PERMUTATIONS
from data_pipeline.level1.similarity import nearly_same

Reason = Literal["duplicate", "near_duplicate", "in_holdout"]
# An estimate more standard deviations below the least similarity is no reason to compare the texts. Agents'
# signatures are small: they are there for questions that thousands ask, and are answered in other words.
_CUSTOMERS_DEVIATIONS, _AGENTS_DEVIATIONS = 1.0, 2.0


@dataclass(frozen=True)
class Clusters:
    """What became of each row, in the order of the shards' rows."""

    kept: Rows
    reasons: list[Reason | None]


def cluster(
    work: Path, shards: int, ranks: Sequence[float], held_out: Sequence[bool], config: NearDuplicates
) -> Clusters:
    """Decide on all rows of `work/signatures`.

    Rows are alike when what the customer says is nearly the same and what the agent says is, too; a cluster
    is what is joined by such pairs. It keeps its row of highest rank, the earliest of several. A cluster
    that reaches into a holdout keeps nothing outside of it. A holdout keeps all rows but word-for-word
    repetitions: what it tests is its owner's choice.

    Raises ValueError when `ranks` or `held_out` are not of the rows' number.
    """
    records = Records(work, shards)
    if not len(ranks) == len(held_out) == len(records):
        raise ValueError(f"{len(records)} rows, but {len(ranks)} ranks and {len(held_out)} holdouts")
    _, firsts, same = np.unique(records.identities, axis=0, return_index=True, return_inverse=True)
    distinct = _join_alike(records, np.sort(firsts), config)
    labels = distinct[firsts[same.reshape(-1)]]
    return _decide(labels, same.reshape(-1), np.asarray(ranks, np.float64), np.asarray(held_out, np.bool_))


class _Joined:
    """Sets of rows that are joined (union-find); each is named by its first row.

    `Groups` does this for keys that are texts; here millions of pairs ask, all at once.
    """

    def __init__(self, rows: int) -> None:
        self.labels = np.arange(rows)

    def join(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Join the two rows of every pair."""
        if not pairs:
            return
        parent = self.labels
        for a, b in pairs:
            while parent[a] != a:
                a = int(parent[a])
            while parent[b] != b:
                b = int(parent[b])
            parent[max(a, b)] = min(a, b)
        while (parent[parent] != parent).any():
            parent = parent[parent]
        self.labels = parent


def _join_alike(records: Records, rows: Rows, config: NearDuplicates) -> Rows:
    """For every row the first of those that it is joined to by pairs that are alike, among `rows`."""
    joined = _Joined(len(records))
    least_of_agents = _least(config, ASSISTANT_PERMUTATIONS, _AGENTS_DEVIATIONS)
    least_of_customers = _least(config, PERMUTATIONS, _CUSTOMERS_DEVIATIONS)
    unlike = np.empty(0, np.int64)
    for buckets in bands(records.signatures, records.shingles, rows, config.similarity):
        tried = [unlike]
        for pair in buckets.rounds():
            pair = _select(pair, joined.labels[pair[0]] != joined.labels[pair[1]])
            pair = _select(pair, agreeing(records.agents, pair) >= least_of_agents)
            pair = _select(pair, agreeing(records.customers, pair) >= least_of_customers)
            numbers = pair[0] * len(records) + pair[1]
            new = ~_contains(unlike, numbers)
            pair, numbers = _select(pair, new), numbers[new]
            alike = _alike(records, pair, config)
            joined.join(list(zip(*(side[alike].tolist() for side in pair), strict=True)))
            tried.append(numbers[~alike])
        # Sorting runs that are sorted already takes linear time.
        unlike = np.sort(np.concatenate(tried), kind="stable")
    return joined.labels


def _select(pair: tuple[Rows, Rows], chosen: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    return pair[0][chosen], pair[1][chosen]


def _least(config: NearDuplicates, permutations: int, deviations: float) -> float:
    similarity = config.similarity
    return similarity - deviations * sqrt(similarity * (1 - similarity) / permutations)


def _contains(sorted_numbers: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(sorted_numbers):
        return np.zeros(len(numbers), np.bool_)
    places = np.searchsorted(sorted_numbers, numbers).clip(max=len(sorted_numbers) - 1)
    return sorted_numbers[places] == numbers


def _alike(records: Records, pairs: tuple[Rows, Rows], config: NearDuplicates) -> NDArray[np.bool_]:
    """For every pair whether the rows are nearly the same, on both sides."""
    alike = np.empty(len(pairs[0]), np.bool_)
    for index, (a, b) in enumerate(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True)):
        one, other = records.sides(a), records.sides(b)
        alike[index] = nearly_same(one.user, other.user, config) and nearly_same(
            one.assistant, other.assistant, config
        )
    return alike


def _decide(labels: Rows, same: Rows, ranks: NDArray[np.float64], held: NDArray[np.bool_]) -> Clusters:
    """`labels` name each row's cluster, `same` the rows that say the same word for word."""
    order = np.lexsort((-ranks, ~held))  # stable: the earliest of equals comes first
    best = _firsts(labels, order)
    speaks = _firsts(same, order) == np.arange(len(labels))
    reasons: list[Reason | None] = []
    for row, kept in enumerate(best.tolist()):
        if row == kept:
            reasons.append(None)
        elif held[kept] and not held[row]:
            reasons.append("in_holdout")
        elif not speaks[row]:
            reasons.append("duplicate")
        else:
            reasons.append(None if held[row] else "near_duplicate")
    alone = np.bincount(labels, minlength=len(labels))[labels] == 1
    return Clusters(np.where(alone, -1, best), reasons)


def _firsts(names: Rows, order: Rows) -> Rows:
    """For every row the first in `order` of those with its name."""
    _, places, inverse = np.unique(names[order], return_index=True, return_inverse=True)
    firsts = np.empty(len(names), np.int64)
    firsts[order] = order[places][inverse.reshape(-1)]
    return firsts
