"""Rows to train, val and test: stratified by topic, grouped by whatever ties rows together.

Rows that share a key (customer, e-mail address, thread, the same text), directly or through other rows, are a
group and go to one part. A group draws its part by a hash; `stratify` then sees to it that every topic has
its share of each part. A group that reaches into a holdout goes to test, so that nobody of a holdout is
trained on and no row is lost.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError
from common.seeds import unit_hash
from data_pipeline.config import SPLITS, Split
from data_pipeline.groups import Groups
from data_pipeline.stratify import Stratified, TopicRows, stratify

TOLERANCE = 0.1
"""Val with 9 to 11 % of a topic's rows is as good as with 10 %. A narrower one moves more groups."""

NO_TOPIC = "(none)"
_MANY_ROWS = 50  # below, one row more or less is a large deviation


@dataclass(frozen=True, slots=True)
class SplitRow:
    """What the split knows of a row. `keys` begin with their kind, as `customer:`; there is at least one."""

    id: str
    keys: Sequence[str]
    topic: str | None = None
    holdout: str | None = None
    synthetic: bool = False


@dataclass
class SplitReport:
    """What the split had to do, and what it could not do.

    Attributes:
        rows: by part; holdouts by their names.
        moved_to_test: rows of groups that drew another part but reach into a holdout.
        moved_for_topics: rows of groups that left the part they drew so that each topic has its share.
        rare_topics: topics of fewer groups than there are parts, so that a part may lack them, and how many.
        tied_topics: topics that a part lacks because their groups belong to holdouts or hold up other topics.
        deviation: the largest distance of any topic's share of a part from the share asked for; topics of 50
            rows and more.
    """

    rows: dict[str, int] = field(default_factory=dict)
    moved_to_test: int = 0
    moved_for_topics: int = 0
    rare_topics: dict[str, int] = field(default_factory=dict)
    tied_topics: list[str] = field(default_factory=list)
    deviation: float = 0.0


@dataclass(frozen=True)
class Splits:
    """For each row, in order, its part (train, val, test or its holdout) and the name of its group."""

    parts: list[str]
    groups: list[str]
    report: SplitReport


def split_rows(rows: Sequence[SplitRow], split: Split, seed: int, tolerance: float = TOLERANCE) -> Splits:
    """Choose a part for every row.

    The same rows give the same parts in any order. Every topic of at least as many groups as there are parts
    is in each of them, save for `tied_topics`. Synthetic rows are for training: what they say of a model that
    has learned from their like is little. Only where they share a group with real ones do they follow these;
    and where there is nothing else, they are split as if they were real.

    Raises:
        UserError: all groups reach into holdouts, so that nothing is left for train.
        ValueError: a row has no keys.
        RuntimeError: something leaks, or a topic is missing somewhere: a defect of this module.
    """
    row_groups = _groups(rows)
    given = list(zip(row_groups, rows, strict=True))
    held = {group for group, row in given if row.holdout is not None}
    real = {group for group, row in given if row.holdout is None and not row.synthetic}
    drawn = [place for place, group in enumerate(row_groups) if group in real or group in held or not real]
    splits = _split(
        [rows[place] for place in drawn], [row_groups[place] for place in drawn], split, seed, tolerance
    )
    parts = ["train"] * len(rows)
    for place, part in zip(drawn, splits.parts, strict=True):
        parts[place] = part
    report = replace(splits.report, rows=dict(sorted(Counter(parts).items())))
    _check_leaks(rows, parts)
    return Splits(parts, row_groups, report)


def _split(
    rows: Sequence[SplitRow], row_groups: list[str], split: Split, seed: int, tolerance: float
) -> Splits:
    names = sorted(set(row_groups))
    number = {name: index for index, name in enumerate(names)}
    held = {group for group, row in zip(row_groups, rows, strict=True) if row.holdout is not None}
    topics = sorted({row.topic or NO_TOPIC for row in rows if row.holdout is None})
    counts = _topic_rows(rows, [number[group] for group in row_groups], topics)
    fixed = np.array([name in held for name in names], dtype=np.bool_)
    if len(counts.groups) and fixed[counts.groups].all():
        raise UserError(
            "no row is left for training: every customer or thread of the sources is in a holdout, too",
            "leave rows of the holdouts' customers out of the holdouts, or take more sources",
        )
    positions = np.array([unit_hash(name, seed) for name in names])
    shares = np.array([split.train, split.val, split.test])
    result = stratify(positions, fixed, counts, shares, tolerance)
    group_parts = [SPLITS[part] for part in result.parts]
    parts = [row.holdout or group_parts[number[group]] for row, group in zip(rows, row_groups, strict=True)]
    splits = Splits(parts, row_groups, _report(parts, topics, counts, fixed, result, shares))
    check(rows, splits, split)
    return splits


def check(rows: Sequence[SplitRow], splits: Splits, split: Split) -> None:
    """Look at the result anew. Raises RuntimeError for a leak, or for a topic that a part lacks."""
    _check_leaks(rows, splits.parts)
    groups: defaultdict[str, set[str]] = defaultdict(set)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row, part, group in zip(rows, splits.parts, splits.groups, strict=True):
        if row.holdout is None:
            groups[row.topic or NO_TOPIC].add(group)
            found[row.topic or NO_TOPIC].add(part)
    used = {part for part in SPLITS if getattr(split, part) > 0}
    for topic, parts in found.items():
        if not parts >= used and len(groups[topic]) >= len(used) and topic not in splits.report.tied_topics:
            raise RuntimeError(f"topic '{topic}' of {len(groups[topic])} groups is only in {sorted(parts)}")


def _check_leaks(rows: Sequence[SplitRow], parts: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    held = {key for row in rows if row.holdout is not None for key in row.keys}
    for row, part in zip(rows, parts, strict=True):
        if (row.holdout or part) != part or (row.holdout is None and part not in SPLITS):
            raise RuntimeError(f"row {row.id} of holdout {row.holdout} is in {part}")
        for key in row.keys if row.holdout is None else ():
            if key in held and part != "test":
                raise RuntimeError(f"row {row.id} is in {part}, though '{_kind(key)}' of it is in a holdout")
            if seen.setdefault(key, part) != part:
                raise RuntimeError(f"'{_kind(key)}' of row {row.id} is in {part} and in {seen[key]}")


def _kind(key: str) -> str:
    """What a key is, without whose it is: ids may be personal."""
    return key.partition(":")[0]


def _groups(rows: Sequence[SplitRow]) -> list[str]:
    """The name of each row's group."""
    groups = Groups()
    for row in rows:
        if not row.keys:
            raise ValueError(f"row {row.id} has no keys: give it one of its own")
        groups.join(row.keys)
    return [groups.find(row.keys[0]) for row in rows]


def _topic_rows(rows: Sequence[SplitRow], groups: Sequence[int], topics: Sequence[str]) -> TopicRows:
    place = {topic: index for index, topic in enumerate(topics)}
    pairs = Counter(
        (group, place[row.topic or NO_TOPIC])
        for row, group in zip(rows, groups, strict=True)
        if row.holdout is None
    )
    table = np.array([(*pair, count) for pair, count in sorted(pairs.items())], dtype=np.int64).reshape(-1, 3)
    return TopicRows(table[:, 0], table[:, 1], table[:, 2])


def _report(
    parts: Sequence[str],
    topics: Sequence[str],
    counts: TopicRows,
    fixed: NDArray[np.bool_],
    result: Stratified,
    shares: NDArray[np.float64],
) -> SplitReport:
    table = np.zeros((len(topics), len(SPLITS)))
    np.add.at(table, (counts.topics, result.parts[counts.groups]), counts.rows)
    totals = table.sum(1, keepdims=True)
    many = totals[:, 0] >= _MANY_ROWS
    moved = (result.parts != result.drawn)[counts.groups]
    to_test = fixed[counts.groups]
    groups = np.bincount(counts.topics, minlength=len(topics))
    return SplitReport(
        rows=dict(sorted(Counter(parts).items())),
        moved_to_test=int(counts.rows[moved & to_test].sum()),
        moved_for_topics=int(counts.rows[moved & ~to_test].sum()),
        rare_topics={topics[topic]: int(groups[topic]) for topic in result.rare},
        tied_topics=[topics[topic] for topic in result.tied],
        deviation=float(np.abs(table[many] / totals[many] - shares).max(initial=0.0)),
    )
