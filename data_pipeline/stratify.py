"""Groups of rows into parts, so that every topic has its share of each: few groups leave the part they drew.

A group draws its part by a hash, as if topics did not matter. Where a topic then lacks a part, or has more or
less of it than the tolerance allows, the group whose hash is nearest to the border goes over. What a hash
alone decides does not depend on other rows, so new rows move few old ones; folds that are filled one group
after another, as scikit-learn's StratifiedGroupKFold does it, change with every row.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class TopicRows:
    """How many rows of which topic each group has: an entry a pair that occurs, sorted by group.

    Attributes:
        groups, topics: numbers of the pair, shape (pairs,).
        rows: how many, shape (pairs,).
    """

    groups: Ints
    topics: Ints
    rows: Ints


@dataclass(frozen=True)
class Stratified:
    """The part of each group, shape (groups,), and for which topics that was not all they need.

    Attributes:
        drawn: the part that each group drew, whether or not it is there now.
        rare: topics of fewer groups than there are parts.
        tied: topics of enough groups, which others or the holdouts keep where they are.
    """

    parts: Ints
    drawn: Ints
    rare: list[int]
    tied: list[int]


def stratify(
    positions: Floats, fixed: NDArray[np.bool_], counts: TopicRows, shares: Floats, tolerance: float
) -> Stratified:
    """Choose a part for each group.

    Args:
        positions: of each group, in [0, 1): the parts lie there one after another, as wide as their shares.
        fixed: groups that belong to the last part wherever they are.
        shares: of each part, together 1; a part without a share stays empty.
        tolerance: how far a topic's rows in a part may be from their share of that topic, as a part of that
            share (0.1: 9 to 11 % are as good as 10 %). One row more or less is always fine.
    """
    repair = _Repair(positions, fixed, counts, shares, tolerance)
    repair.put_every_topic_everywhere()
    repair.even_out()
    repair.send_back()
    rare = [t for t in np.flatnonzero(~repair.promised).tolist() if repair.groups[t].any()]
    tied = [t for t in np.flatnonzero(repair.promised).tolist() if repair.missing(t)]
    return Stratified(repair.parts, repair.drawn, rare, tied)


class _Repair:
    """The state of the search: parts of groups, and what each topic has in each part.

    `rows` and `groups` have shape (topics, parts).
    """

    def __init__(
        self,
        positions: Floats,
        fixed: NDArray[np.bool_],
        counts: TopicRows,
        shares: Floats,
        tolerance: float,
    ) -> None:
        self.positions, self.counts, self.fixed = positions, counts, fixed
        self.borders = np.concatenate([[0.0], np.cumsum(shares)])
        self.used = [int(part) for part in np.flatnonzero(shares > 0)]
        self.drawn: Ints = np.searchsorted(self.borders[1:-1], positions, side="right").astype(np.int64)
        self.parts: Ints = np.where(fixed, len(shares) - 1, self.drawn)
        topics = int(counts.topics.max(initial=-1)) + 1
        self.rows = np.zeros((topics, len(shares)))
        self.groups = np.zeros((topics, len(shares)), dtype=np.int64)
        in_part = self.parts[counts.groups]
        np.add.at(self.rows, (counts.topics, in_part), counts.rows)
        np.add.at(self.groups, (counts.topics, in_part), 1)
        self.targets = self.rows.sum(1, keepdims=True) * shares
        self.slack = np.maximum(1.0, tolerance * self.targets)
        self.promised = self.groups.sum(1) >= len(self.used)
        self._pairs_of_group = np.searchsorted(counts.groups, np.arange(len(positions) + 1))
        self._has_several = np.diff(self._pairs_of_group) > 1
        by_topic = np.argsort(counts.topics, kind="stable")
        starts = np.searchsorted(counts.topics[by_topic], np.arange(topics + 1))
        self._groups_of_topic = [counts.groups[by_topic[a:b]] for a, b in pairwise(starts)]
        self.rarest_first = [int(t) for t in np.argsort(self.groups.sum(1), kind="stable")]

    def missing(self, topic: int) -> list[int]:
        """Parts that have no group of the topic."""
        return [part for part in self.used if self.groups[topic, part] == 0]

    def put_every_topic_everywhere(self) -> None:
        """Fill the parts that a topic lacks, as long as that takes no other topic's last group of a part."""
        moved = True
        while moved:
            moved = False
            for topic in self.rarest_first:
                for part in self.missing(topic) if self.promised[topic] else ():
                    sources = [other for other in self.used if other != part]
                    found = (g for g in self._nearest(topic, sources, part) if self._is_safe(g))
                    if (group := next(found, None)) is not None:
                        self._move(group, part)
                        moved = True

    def even_out(self) -> None:
        """Bring topics within the tolerance, where that takes none further out than it brings in."""
        moved = True
        while moved:
            moved = False
            for topic in self.rarest_first:
                if self._excess(topic, self.rows[topic]).sum() > 0:
                    moved |= self._even_out(topic)

    def send_back(self) -> None:
        """Undo moves that turned out not to be needed once others were made."""
        moved = True
        while moved:
            moved = False
            for group in np.flatnonzero((self.parts != self.drawn) & ~self.fixed).tolist():
                part = int(self.drawn[group])
                if self._is_safe(group) and self._gain(group, part) > -_LEAST_GAIN:
                    self._move(group, part)
                    moved = True

    def _even_out(self, topic: int) -> bool:
        moved = False
        surplus = self.rows[topic] - self.targets[topic]
        pairs = [(a, b) for a in self.used for b in self.used if surplus[a] > surplus[b]]
        for source, part in sorted(pairs, key=lambda pair: surplus[pair[1]] - surplus[pair[0]]):
            for group in self._nearest(topic, [source], part):
                if self._excess(topic, self.rows[topic])[[source, part]].sum() == 0:
                    break
                if self._is_safe(group) and self._gain(group, part) > _LEAST_GAIN:
                    self._move(group, part)
                    moved = True
        return moved

    def _nearest(self, topic: int, sources: list[int], part: int) -> list[int]:
        """The topic's groups in `sources`: those of no other topic, then by the way in the ring of parts."""
        groups = self._groups_of_topic[topic]
        groups = groups[np.isin(self.parts[groups], sources) & ~self.fixed[groups]]
        behind = (self.positions[groups] - self.borders[part + 1]) % 1.0
        before = (self.borders[part] - self.positions[groups]) % 1.0
        way = np.minimum(behind, before)
        return [int(g) for g in groups[np.lexsort((self.positions[groups], way, self._has_several[groups]))]]

    def _topics_of(self, group: int) -> tuple[Ints, Ints]:
        """The topics of a group, and how many rows it has of each."""
        pairs = slice(self._pairs_of_group[group], self._pairs_of_group[group + 1])
        return self.counts.topics[pairs], self.counts.rows[pairs]

    def _is_safe(self, group: int) -> bool:
        """Whether each of the group's topics has another group where this one is."""
        topics, _ = self._topics_of(group)
        return bool((~self.promised[topics] | (self.groups[topics, self.parts[group]] > 1)).all())

    def _excess(self, topics: int | Ints, rows: Floats) -> Floats:
        """By how many rows topics are out of the tolerance in each part."""
        excess: Floats = np.maximum(np.abs(rows - self.targets[topics]) - self.slack[topics], 0.0)
        return excess

    def _gain(self, group: int, part: int) -> float:
        """By how many rows the group's topics come nearer to the tolerance if it goes over to `part`."""
        topics, rows = self._topics_of(group)
        after = self.rows[topics].copy()
        after[:, self.parts[group]] -= rows
        after[:, part] += rows
        return float((self._excess(topics, self.rows[topics]) - self._excess(topics, after)).sum())

    def _move(self, group: int, part: int) -> None:
        topics, rows = self._topics_of(group)
        source, self.parts[group] = self.parts[group], part
        self.rows[topics, source] -= rows
        self.rows[topics, part] += rows
        self.groups[topics, source] -= 1
        self.groups[topics, part] += 1
