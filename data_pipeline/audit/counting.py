"""Rows counted by value and by bin, in an order that depends on nothing but the counts."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_pipeline.audit.model import Counts, Histogram, Mix, Share
from data_pipeline.config import SPLITS
from data_pipeline.schema import REJECTED


@dataclass(frozen=True)
class Rows:
    """The frame of columns, cut into what the audit compares. `sampled` are the rows that reached level 3."""

    all: pd.DataFrame
    before: pd.DataFrame
    after: pd.DataFrame
    sampled: pd.DataFrame

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Rows":
        """`frame` is one that `schema.check_frame` returned."""
        after = frame[frame["outcome"].isin(SPLITS)]
        before = frame[frame["outcome"].isin([*SPLITS, REJECTED])]
        sampled = before[before["outcome"].isin(SPLITS) | (before["level"] == "level3")]
        return cls(frame, before, after, sampled)


def by_count(counts: Mapping[str, int]) -> Counts:
    """Most frequent first, then by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def value_counts(column: "pd.Series[str]") -> Counts:
    """Rows by value; null is no value."""
    return by_count({str(value): int(rows) for value, rows in column.value_counts().items()})


def mix(before: "pd.Series[str]", after: "pd.Series[str]") -> Mix:
    """One column, before and after."""
    return Mix(
        before=value_counts(before),
        after=value_counts(after),
        unknown_before=int(before.isna().sum()),
        unknown_after=int(after.isna().sum()),
    )


def share_true(column: "pd.Series[bool]") -> Share:
    """Share of true among the rows that say true or false."""
    return Share.of_rows(int(column.sum()), int(column.notna().sum()))


def in_bins(values: "pd.Series[float]", edges: Sequence[float]) -> list[int]:
    """Rows by bin; values outside of `edges` count in the first or last bin."""
    numbers = np.clip(values.dropna().to_numpy(dtype=float), edges[0], edges[-1])
    return [int(count) for count in np.histogram(numbers, bins=np.asarray(edges))[0]]


def histogram(before: "pd.Series[float]", after: "pd.Series[float]", edges: Sequence[float]) -> Histogram:
    """One column in bins, before and after."""
    return Histogram(edges=list(edges), before=in_bins(before, edges), after=in_bins(after, edges))


def json_counts(column: "pd.Series[str]") -> tuple[Counter[str], Counter[str]]:
    """Of a column of JSON lists or of counts by name: how often each name is there, and in how many rows."""
    found: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    # A few different texts make up most of a column.
    for text, times in column.value_counts().items():
        names = Counter(json.loads(str(text)))
        for name, count in names.items():
            found[name] += count * int(times)
            rows[name] += int(times)
    return found, rows
