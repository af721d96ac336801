"""Intervals by the paired cluster bootstrap. Needs numpy only: rollouts use it too.

Every figure here is a function of sums over rows (conversations, replies), so a resample is a count for each
cluster, and all of them together one matrix product. Clusters (customers) are drawn, not rows: those of one
customer are alike, so drawing them one by one would make intervals too narrow. Systems share the draws: a
difference is over the same customers. Percentile method (Efron & Tibshirani 1993, chapter 13).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_COUNTS_AT_ONCE = 2**23
"""64 MiB of cluster counts."""


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are drawn: `clusters[i]` is the cluster of row i."""

    clusters: Sequence[str]
    samples: int
    seed: int

    def interval(self, columns: Sequence[ArrayLike], figure: Callable[..., Floats]) -> Interval:
        """The interval of `figure(sum of columns[0], sum of columns[1], ...)`.

        Each column has a number for each row; `figure` is given arrays of sums, and gives an array.

        Raises:
            ValueError: there are fewer than two clusters, or the columns are not as long as `clusters`.
        """
        names, members = np.unique(np.asarray(self.clusters), return_inverse=True)
        if len(names) < 2:
            raise ValueError("an interval needs at least two clusters")
        sums = np.stack([np.bincount(members, np.asarray(column, float), len(names)) for column in columns])
        random = np.random.default_rng(self.seed)
        at_once = max(1, _COUNTS_AT_ONCE // len(names))
        drawn = []
        for start in range(0, self.samples, at_once):
            size = min(at_once, self.samples - start)
            counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size)
            drawn.append(figure(*(sums @ counts.T)))
        low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5])
        return Interval(float(figure(*sums.sum(axis=1))), float(low), float(high))

    def perplexity(self, nll: ArrayLike, tokens: ArrayLike) -> Interval:
        """exp(sum of nll / sum of tokens): perplexity, weighted by tokens."""
        return self.interval([nll, tokens], lambda nll, tokens: np.exp(nll / tokens))

    def perplexity_ratio(self, nll: ArrayLike, baseline_nll: ArrayLike, tokens: ArrayLike) -> Interval:
        """Perplexity divided by the baseline's over the same tokens; below 1 is better."""
        return self.interval(
            [nll, baseline_nll, tokens], lambda nll, baseline, tokens: np.exp((nll - baseline) / tokens)
        )

    def mean(self, values: ArrayLike) -> Interval:
        """The mean over rows."""
        ones = np.ones(len(self.clusters))
        return self.interval([values, ones], lambda total, count: total / count)

    def mean_difference(self, values: ArrayLike, baseline: ArrayLike) -> Interval:
        """The mean of the paired differences; above 0 is better."""
        return self.mean(np.asarray(values, float) - np.asarray(baseline, float))
