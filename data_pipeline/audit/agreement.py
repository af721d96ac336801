"""How far annotators agree on nominal labels."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from data_pipeline.audit.model import Agreement, Disagreement

_SHOWN = 10


def krippendorff_alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for nominal data with any number of annotators and missing labels.

    `units` holds the labels of one row each; rows with fewer than two say nothing about agreement. 1 is full
    agreement, 0 what chance would give, below 0 systematic disagreement. None when no two labels can be
    compared, or only one label is in use.

    Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
    """
    totals: Counter[str] = Counter()
    disagreeing = 0.0
    for labels in units:
        if len(labels) < 2:
            continue
        counts = Counter(labels)
        totals.update(counts)
        # Ordered pairs of unequal labels; a row with m labels weighs m in all.
        unequal = len(labels) ** 2 - sum(count**2 for count in counts.values())
        disagreeing += unequal / (len(labels) - 1)
    n = totals.total()
    by_chance = n**2 - sum(count**2 for count in totals.values())
    return 1 - (n - 1) * disagreeing / by_chance if by_chance else None


def percent_agreement(units: Iterable[Sequence[str]]) -> float | None:
    """Share of equal ones among all pairs of labels of the same row; None when there is no pair."""
    pairs = [first == second for labels in units for first, second in combinations(labels, 2)]
    return sum(pairs) / len(pairs) if pairs else None


def agreement(columns: Iterable[str]) -> Agreement | None:
    """Agreement over rows' `labels`, JSON lists of {by, label, at}; None where no row has two of them."""
    units: list[list[str]] = []
    annotators: set[str] = set()
    for text in columns:
        last = _last_of_each(json.loads(text))
        if len(last) > 1:
            units.append(list(last.values()))
            annotators.update(last)
    percent = percent_agreement(units)
    if percent is None:
        return None
    differ = Counter(
        (min(pair), max(pair)) for labels in units for pair in combinations(labels, 2) if pair[0] != pair[1]
    )
    ranked = sorted(differ.items(), key=lambda item: (-item[1], item[0]))
    return Agreement(
        rows=len(units),
        annotators=len(annotators),
        percent=percent,
        alpha=krippendorff_alpha(units),
        disagreements=[Disagreement(labels=pair, pairs=count) for pair, count in ranked[:_SHOWN]],
    )


def _last_of_each(labels: list[dict[str, Any]]) -> dict[str, str]:
    """A person who changed their mind has one label, the latest; without dates, the one that comes last."""
    in_time = sorted(labels, key=lambda label: str(label.get("at") or ""))
    return {label["by"]: label["label"] for label in in_time}
