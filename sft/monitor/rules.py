"""When a run deserves a look: rules over its losses, gradient norms and log records, as plain numbers."""

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

WINDOW = 50
"""Steps that a new one is compared with."""
_FEWEST = 10
_DEVIATIONS = 6
_SMALLEST_RISE = 1.01
"""Of the validation loss: a plateau goes up and down by less."""

Record = dict[str, Any]


def spike(values: Sequence[float], new: float, factor: float) -> float | None:
    """The median of the last `values` when `new` is far above it, else None.

    Far is more than 6 median absolute deviations above and more than `factor` times the median: batches of
    short and of long examples differ by themselves. With fewer than 10 values nothing is far.
    """
    window = list(values)[-WINDOW:]
    if len(window) < _FEWEST:
        return None
    middle = median(window)
    deviation = median(abs(value - middle) for value in window)
    return middle if new > max(middle + _DEVIATIONS * deviation, factor * middle) else None


def overfitting(history: Sequence[Record]) -> str | None:
    """A message when validation loss has risen twice running, by 1 % at least, and training loss fell."""
    first, second, third = ([None] * 3 + [*_evaluations(history)])[-3:]
    if first is None or second is None or third is None or first[0] == 0:
        return None
    if not (first[1] < second[1] < third[1] and third[1] > _SMALLEST_RISE * first[1]):
        return None
    before = _training_loss(history, first[0], second[0])
    after = _training_loss(history, second[0], third[0])
    if before is None or after is None or after >= before:
        return None
    return (
        f"validation loss rose from {first[1]:.3f} (step {first[0]}) to {third[1]:.3f}, training loss fell "
        f"from {before:.3f} to {after:.3f}; train fewer epochs, or on more data"
    )


def no_learning(history: Sequence[Record], max_steps: int) -> str | None:
    """A message when no validation loss is below the base's after a third of the steps."""
    evaluations = _evaluations(history)
    later = [loss for step, loss in evaluations if step > 0]
    if not later or evaluations[0][0] != 0 or evaluations[-1][0] < max_steps / 3:
        return None
    base = evaluations[0][1]
    if min(later) < base:
        return None
    return (
        f"validation loss was {base:.3f} before training and is {later[-1]:.3f} now, never lower; "
        "try another learning_rate, or look at the data"
    )


def _evaluations(history: Sequence[Record]) -> list[tuple[int, float]]:
    return [(record["step"], record["eval_loss"]) for record in history if "eval_loss" in record]


def _training_loss(history: Sequence[Record], after: int, until: int) -> float | None:
    """Mean of the records in between, weighted by the steps that each stands for."""
    values: list[float] = []
    last = after
    for record in history:
        if "loss" in record and after < record["step"] <= until:
            values += [record["loss"]] * (record["step"] - last)
            last = record["step"]
    return fmean(values) if values else None
