"""Intervals against known cases, and how often they hold the truth."""

import subprocess
import sys

import numpy as np
import pytest

from eval.stats import Bootstrap, Interval


def bootstrap(clusters, samples: int = 2000) -> Bootstrap:
    return Bootstrap([str(cluster) for cluster in clusters], samples, seed=2025)


def test_the_mean_of_independent_rows_has_the_interval_of_theory():
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    found = bootstrap(range(400), samples=20_000).mean(values)
    half_width = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean(), abs=1e-12)
    assert found.low == pytest.approx(values.mean() - half_width, abs=0.01)
    assert found.high == pytest.approx(values.mean() + half_width, abs=0.01)


def test_rows_of_one_cluster_count_once():
    values = np.random.default_rng(1).normal(size=100)
    alone = bootstrap(range(100)).mean(values)
    repeated = bootstrap(np.repeat(range(100), 9)).mean(np.repeat(values, 9))
    assert (repeated.low, repeated.high) == (pytest.approx(alone.low), pytest.approx(alone.high))


def test_the_order_of_rows_changes_nothing():
    random = np.random.default_rng(1)
    nll, tokens, clusters = random.gamma(2, 20, 60), random.integers(5, 50, 60), random.integers(0, 20, 60)
    order = random.permutation(60)
    there, back = (bootstrap(clusters[at]).perplexity(nll[at], tokens[at]) for at in (np.arange(60), order))
    assert (there.low, there.value, there.high) == pytest.approx((back.low, back.value, back.high))


def test_perplexity_is_weighted_by_tokens():
    found = bootstrap(range(2)).perplexity([1.0, 30.0], [1, 10])
    assert found.value == pytest.approx(np.exp(31 / 11))


def test_perplexity_ratio_is_the_ratio_of_perplexities():
    random = np.random.default_rng(2)
    base, tokens = random.gamma(2, 20, 50), random.integers(5, 50, 50)
    tuned = base * random.uniform(0.5, 0.9, 50)
    draws = bootstrap(range(50))
    ratio = draws.perplexity_ratio(tuned, base, tokens)
    expected = draws.perplexity(tuned, tokens).value / draws.perplexity(base, tokens).value
    assert ratio.value == pytest.approx(expected, rel=1e-12)
    assert ratio.low < ratio.value < ratio.high < 1


def test_equal_systems_have_a_ratio_of_one_and_no_width():
    values = np.random.default_rng(3).gamma(2, 20, 50)
    draws = bootstrap(range(50))
    assert draws.perplexity_ratio(values, values, np.full(50, 9)) == Interval(1.0, 1.0, 1.0)
    assert draws.mean_difference(values, values) == Interval(0.0, 0.0, 0.0)


def test_pairing_makes_a_difference_surer_than_its_parts():
    random = np.random.default_rng(4)
    base = random.normal(0.5, 0.3, 100)
    tuned = base + random.normal(0.05, 0.01, 100)
    draws = bootstrap(range(100))
    difference, alone = draws.mean_difference(tuned, base), draws.mean(tuned)
    assert difference.low > 0.04
    assert difference.high - difference.low < (alone.high - alone.low) / 10


def test_the_seed_decides_the_draws():
    values = np.random.default_rng(5).normal(size=40)
    clusters = [str(n) for n in range(40)]
    first, again, other = (Bootstrap(clusters, 500, seed).mean(values) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_many_clusters_are_drawn_in_parts():
    values = np.random.default_rng(6).normal(size=20_000)
    found = bootstrap(range(20_000), samples=1000).mean(values)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20_000**0.5, rel=0.1)


def test_one_cluster_has_no_interval():
    with pytest.raises(ValueError, match="at least two clusters"):
        bootstrap([1, 1, 1]).mean([1.0, 2.0, 3.0])


def test_a_column_of_another_length_is_an_error():
    with pytest.raises(ValueError):
        bootstrap(range(3)).mean([1.0, 2.0])


def covered(cluster_of_row: np.ndarray, truth: float, simulations: int) -> float:
    """How often the interval of the mean holds the truth; a customer has five rows, half shared variance."""
    random = np.random.default_rng(7)
    hits = 0
    for _ in range(simulations):
        shared = random.normal(truth, 1.0, 40)
        values = np.repeat(shared, 5) + random.normal(0, 1.0, 200)
        found = Bootstrap([str(name) for name in cluster_of_row], 400, seed=1).mean(values)
        hits += found.low <= truth <= found.high
    return hits / simulations


def test_intervals_over_clusters_hold_the_truth_as_often_as_they_say():
    """With 300 simulations the share of hits has a standard error of 1.3 points; 40 clusters cost 1 to 2."""
    assert 0.90 <= covered(np.repeat(range(40), 5), 0.3, 300) <= 0.98


def test_intervals_over_single_rows_would_hold_it_less_often():
    assert covered(np.arange(200), 0.3, 300) < 0.80


def test_torch_is_not_needed():
    code = "import sys, eval.stats; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
