"""What a trial's trainer tells the search. Imports transformers: call it late."""

from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from sft.tune.trial import Evaluation


class Reports(TrainerCallback):
    """Calls `report` after each evaluation. Saves no checkpoint: a trial's weights are of no use."""

    def __init__(self, report: Callable[[Evaluation], None]) -> None:
        self._report = report

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        control.should_save = False

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **kwargs: Any,
    ) -> None:
        if "eval_loss" in metrics:
            self._report(Evaluation(state.global_step, state.max_steps, metrics["eval_loss"]))
