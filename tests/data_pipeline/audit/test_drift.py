import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.audit.drift import FLOOR, compare, kl_divergence, psi, psi_noise

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10_000), min_size=1).filter(
    lambda rows: sum(rows.values()) > 0
)


def test_by_hand() -> None:
    before, after = {"a": 50, "b": 50}, {"a": 75, "b": 25}
    assert psi(before, after) == pytest.approx(0.25 * math.log(1.5) - 0.25 * math.log(0.5))
    assert psi(before, after) == pytest.approx(0.27465, abs=1e-5)
    assert kl_divergence(before, after) == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert kl_divergence(before, after) == pytest.approx(0.13081, abs=1e-5)


def test_a_new_value_is_finite() -> None:
    total = 1 + FLOOR
    old, new = FLOOR / total, 0.5
    expected = (new - old) * math.log(new / old) + (0.5 - 1 / total) * math.log(0.5 * total)
    assert psi({"a": 10}, {"a": 10, "b": 10}) == pytest.approx(expected)


@given(counts, st.integers(1, 50))
def test_equal_shares_have_no_drift_whatever_the_number_of_rows(rows: dict[str, int], times: int) -> None:
    more = {value: times * count for value, count in rows.items()}
    assert psi(rows, more) == pytest.approx(0, abs=1e-12)
    assert kl_divergence(rows, more) == pytest.approx(0, abs=1e-12)


@given(counts, counts)
def test_finite_symmetric_and_the_sum_of_both_divergences(
    before: dict[str, int], after: dict[str, int]
) -> None:
    value = psi(before, after)
    assert math.isfinite(value)
    assert value >= 0
    assert psi(after, before) == pytest.approx(value)
    both = kl_divergence(before, after) + kl_divergence(after, before)
    assert both == pytest.approx(value, abs=1e-9)


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ValueError, match="no rows"):
        psi({"a": 0}, {"a": 1})


def test_noise_is_the_chi_squared_quantile() -> None:
    # 95 % quantiles from tables: 16.919 for 9 degrees of freedom, 3.841 for one.
    assert psi_noise(10, 1000, 1000) == pytest.approx(16.919 * 0.002, rel=0.01)
    assert psi_noise(2, 500, 2000) == pytest.approx(3.841 * (1 / 500 + 1 / 2000), rel=0.03)
    assert psi_noise(1, 10, 10) == 0


def test_two_samples_of_one_source_exceed_the_noise_once_in_twenty_times() -> None:
    draw = np.random.default_rng(7)
    shares = [0.4, 0.3, 0.15, 0.1, 0.05]
    noise, exceeded = psi_noise(5, 800, 1200), 0
    for _ in range(2000):
        pair = [dict(zip("abcde", map(int, draw.multinomial(n, shares)), strict=True)) for n in (800, 1200)]
        exceeded += psi(*pair) > noise
    assert 0.03 < exceeded / 2000 < 0.07


def verdicts(before: dict[str, int], after: dict[str, int]) -> list[tuple[str, str]]:
    found = compare({"topic": before}, {"topic": after}, watch_psi=0.1, max_psi=0.25)
    return [(drift.name, drift.verdict) for drift in found]


def test_verdicts() -> None:
    assert verdicts({"a": 500, "b": 500}, {"a": 510, "b": 490}) == [("topic", "stable")]
    assert verdicts({"a": 500, "b": 500}, {"a": 680, "b": 320}) == [("topic", "watch")]
    assert verdicts({"a": 500, "b": 500}, {"a": 750, "b": 250}) == [("topic", "drifted")]
    assert verdicts({"a": 2, "b": 2}, {"a": 3, "b": 1}) == [("topic", "stable")], "four rows prove nothing"


def test_only_what_both_have_is_compared_and_the_largest_changes_are_named() -> None:
    before = {"topic": {"a": 40, "b": 40, "c": 20}, "label": {}, "source": {"x": 1}}
    after = {"topic": {"a": 40, "b": 10, "d": 50}, "label": {"x": 1}, "language": {"en": 1}}
    (drift,) = compare(before, after, watch_psi=0.1, max_psi=0.25)
    assert [(change.value, change.before, change.after) for change in drift.changes] == [
        ("d", 0, 0.5),
        ("b", 0.4, 0.1),
        ("c", 0.2, 0),
    ]
    assert (drift.rows_before, drift.rows_after) == (100, 100)
