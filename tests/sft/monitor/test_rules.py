from typing import Any

import pytest

from sft.monitor.rules import no_learning, overfitting, spike

STEADY = [2.0, 2.1, 1.9, 2.2, 1.8, 2.0, 2.1, 1.9, 2.0, 2.0]  # median 2.0, median absolute deviation 0.1


def history(evaluations: list[float], losses: list[float]) -> list[dict[str, Any]]:
    """An evaluation at step 0, and after every 10 steps with the given training losses in between."""
    records: list[dict[str, Any]] = [{"step": 0, "eval_loss": evaluations[0]}]
    for number, (loss, evaluation) in enumerate(zip(losses, evaluations[1:], strict=True), start=1):
        records.append({"step": 10 * number, "loss": loss})
        records.append({"step": 10 * number, "eval_loss": evaluation})
    return records


@pytest.mark.parametrize(
    ("values", "new", "median"),
    [
        (STEADY, 3.1, 2.0),
        (STEADY, 2.9, None),  # over 2.6, the deviations' bound, but not 1.5 times the median
        (STEADY[:9], 9.0, None),  # too few to compare with
        ([1.0, 5.0] * 10, 14.0, None),  # losses that differ anyhow: the median 3 and 6 deviations of 2
        ([1.0, 5.0] * 10, 15.1, 3.0),
        ([100.0] * 50 + [2.0] * 50, 4.0, 2.0),  # only the last 50 count
        ([0.0] * 10, 0.1, 0.0),
    ],
)
def test_a_spike_is_far_above_the_median_by_two_measures(
    values: list[float], new: float, median: float | None
) -> None:
    assert spike(values, new, 1.5) == median


def test_validation_loss_that_rises_while_training_loss_falls_is_overfitting() -> None:
    message = overfitting(history([4.0, 2.0, 2.1, 2.2], [3.0, 1.8, 1.5]))
    assert message is not None
    assert "rose from 2.000 (step 10) to 2.200" in message and "fell from 1.800 to 1.500" in message


@pytest.mark.parametrize(
    ("evaluations", "losses"),
    [
        ([4.0, 2.0, 2.1, 2.05], [3.0, 1.8, 1.5]),  # it fell again
        ([4.0, 2.0, 2.005, 2.01], [3.0, 1.8, 1.5]),  # a plateau
        ([4.0, 2.0, 2.1, 2.2], [3.0, 1.8, 1.9]),  # the training loss rises too: something else
        ([2.0, 2.1, 2.2], [3.0, 1.8]),  # the base's own loss does not count
        ([4.0, 2.0], [3.0]),
    ],
)
def test_other_curves_are_no_overfitting(evaluations: list[float], losses: list[float]) -> None:
    assert overfitting(history(evaluations, losses)) is None


def test_no_validation_loss_below_the_bases_after_a_third_of_the_steps_is_no_learning() -> None:
    stuck = history([2.0, 2.0, 2.3], [2.0, 2.0])
    assert no_learning(stuck, max_steps=61) is None
    message = no_learning(stuck, max_steps=60)
    assert message is not None and "was 2.000 before training and is 2.300 now" in message
    assert no_learning(history([2.0, 1.9, 2.3], [2.0, 2.0]), max_steps=60) is None
    assert no_learning(history([2.0], []), max_steps=60) is None
