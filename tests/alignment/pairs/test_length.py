import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from alignment.pairs.formats import Pair
from alignment.pairs.length import left_out, length_bias

lengths = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=40)


def pairs(sizes: list[tuple[int, int]]) -> list[Pair]:
    return [Pair(str(n), [], "a" * chosen, "b" * rejected) for n, (chosen, rejected) in enumerate(sizes)]


def test_the_better_length_rule_and_its_interval() -> None:
    bias = length_bias(pairs([(3, 1)] * 12 + [(1, 3)] * 4 + [(2, 2)] * 4))
    expected = binomtest(12, 16).proportion_ci(method="wilson")
    assert bias.longer == 0.75 and bias.rule == (12 + 2) / 20
    assert bias.interval == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (bias.median_chosen, bias.median_rejected) == (3, 1)
    assert not length_bias(pairs([(3, 1), (1, 3)])).is_biased
    assert length_bias(pairs([(1, 3)] * 30)).is_biased


def test_without_a_difference_there_is_no_bias() -> None:
    bias = length_bias(pairs([(2, 2)]))
    assert (bias.longer, bias.rule, bias.interval) == (0.5, 0.5, (0.0, 1.0))
    with pytest.raises(ValueError, match="no pairs"):
        length_bias([])


@given(lengths, st.integers(0, 3))
def test_what_is_left_has_no_length_bias_and_no_more_is_left_out(
    sizes: list[tuple[int, int]], seed: int
) -> None:
    everything = pairs(sizes)
    surplus = left_out(everything, seed)
    kept = [pair for pair in everything if pair.id not in surplus]
    longer = sum(len(pair.chosen) > len(pair.rejected) for pair in kept)
    shorter = sum(len(pair.chosen) < len(pair.rejected) for pair in kept)
    assert longer == shorter
    before = sum((len(p.chosen) > len(p.rejected)) - (len(p.chosen) < len(p.rejected)) for p in everything)
    assert len(surplus) == abs(before)
    assert left_out(everything[::-1], seed) == surplus, "the order of the rows decides nothing"
