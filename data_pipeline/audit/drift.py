"""Whether a distribution moved between two versions of a dataset."""

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from data_pipeline.audit.model import Change, Drift

FLOOR = 1e-4
"""The least share of a value: a value that is new or gone would else make both measures infinite."""

_SHOWN = 3


def psi(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Population stability index, the sum of (q - p) ln(q / p) over all values; 0 for equal shares.

    Symmetric, and so KL(p, q) + KL(q, p). Raises ValueError when one of the two has no rows.
    """
    p, q = _shares(before, after)
    return float(np.sum((q - p) * np.log(q / p)))


def kl_divergence(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """KL divergence of `after` from `before`, in nats: the sum of q ln(q / p). 0 for equal shares."""
    p, q = _shares(before, after)
    return max(0.0, float(np.sum(q * np.log(q / p))))


def psi_noise(values: int, rows_before: int, rows_after: int) -> float:
    """The PSI that two samples from one distribution over `values` values exceed in 5 % of cases.

    It is about chi-squared with values - 1 degrees of freedom, times 1 / rows_before + 1 / rows_after
    (Yurdakul and Naranjo, Statistical properties of the population stability index, 2020). The quantile by
    Wilson and Hilferty (1931).
    """
    k = values - 1
    if k < 1:
        return 0.0
    quantile = k * (1 - 2 / (9 * k) + 1.6449 * math.sqrt(2 / (9 * k))) ** 3
    return quantile * (1 / rows_before + 1 / rows_after)


def _shares(
    before: Mapping[str, int], after: Mapping[str, int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    names = sorted({*before, *after})
    shares = []
    for counts in (before, after):
        rows = np.array([counts.get(name, 0) for name in names], dtype=np.float64)
        if rows.sum() <= 0:
            raise ValueError("there are no rows to compare")
        floored = np.maximum(rows / rows.sum(), FLOOR)
        shares.append(floored / floored.sum())
    return shares[0], shares[1]


def compare(
    before: Mapping[str, Mapping[str, int]],
    after: Mapping[str, Mapping[str, int]],
    *,
    watch_psi: float,
    max_psi: float,
) -> list[Drift]:
    """Drift of every distribution (rows by value, by name) that both versions have measured."""
    return [
        _drift(name, before[name], after[name], watch_psi, max_psi)
        for name in after
        if sum(before.get(name, {}).values()) and sum(after[name].values())
    ]


def _drift(
    name: str, before: Mapping[str, int], after: Mapping[str, int], watch_psi: float, max_psi: float
) -> Drift:
    rows_before, rows_after = sum(before.values()), sum(after.values())
    value = psi(before, after)
    noise = psi_noise(len({*before, *after}), rows_before, rows_after)
    verdict: Literal["stable", "watch", "drifted"] = "stable"
    if value > max(watch_psi, noise):
        verdict = "drifted" if value > max_psi else "watch"
    changes = [
        Change(value=key, before=before.get(key, 0) / rows_before, after=after.get(key, 0) / rows_after)
        for key in sorted({*before, *after})
    ]
    moved = sorted((c for c in changes if c.before != c.after), key=lambda c: -abs(c.after - c.before))
    return Drift(
        name=name,
        psi=value,
        kl=kl_divergence(before, after),
        noise=noise,
        rows_before=rows_before,
        rows_after=rows_after,
        verdict=verdict,
        changes=moved[:_SHOWN],
    )
