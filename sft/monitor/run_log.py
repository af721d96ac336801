"""What is seen while training: `[TRAIN]` and `[EVAL]` lines, and a progress bar with speed and time left."""

import math
import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from common.console import progress, run_log, warn


class RunLog(TrainerCallback):
    """Prints the log records of a `SupportTrainer` (set as `trainer`), and shows a progress bar."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.trainer: Any = None
        self._seconds = 0.0
        self._step_began = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._display = progress()
        self._task = self._display.add_task(
            "training", total=state.max_steps, completed=state.global_step, rate=""
        )
        self._display.start()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._display.stop()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._step_began = time.perf_counter()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._seconds += time.perf_counter() - self._step_began
        self._display.update(self._task, completed=state.global_step, rate=f"{self._speed():,.0f} tok/s")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        logs = logs or {}
        step = f"{state.global_step}/{state.max_steps}"
        if "loss" in logs:
            if not math.isfinite(logs["loss"]):
                warn(f"the loss is {logs['loss']} at step {step}: lower learning_rate, or use float32")
            run_log(
                "TRAIN",
                run_id=self.run_id,
                step=step,
                epoch=round(logs["epoch"], 2),
                lr=logs["learning_rate"],
                loss=logs["loss"],
                grad_norm=logs["grad_norm"],
                tok_per_s=round(self._speed()),
            )
        elif "eval_loss" in logs:
            run_log("EVAL", run_id=self.run_id, step=step, val_loss=logs["eval_loss"])

    def _speed(self) -> float:
        """Non-padding tokens a second of training, validation and saving left out."""
        return self.trainer.tokens_seen / self._seconds if self._seconds else 0.0
