"""What is seen while training: `[TRAIN]` and `[EVAL]` lines, and a progress bar with speed and time left."""

import atexit
import time
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from common.console import progress, run_log


class RunLog(TrainerCallback):
    """Prints the log records of a trainer with `Health`, and shows a progress bar."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._rate = ""
        self._began: float | None = None
        self._first_step = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._display = progress()
        self._task = self._display.add_task(
            "training", total=state.max_steps, completed=state.global_step, rate=""
        )
        self._display.start()
        # An error or Ctrl-C ends training without `on_train_end`, and the terminal would lack its cursor.
        atexit.register(self._display.stop)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._display.stop()
        atexit.unregister(self._display.stop)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._began is None:
            self._began, self._first_step = time.perf_counter(), state.global_step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._display.update(self._task, completed=state.global_step, rate=self._rate)

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
            self._rate = f"{logs['tok_per_s']:,.0f} tok/s"
            run_log(
                "TRAIN",
                run_id=self.run_id,
                step=step,
                epoch=round(logs["epoch"], 2),
                lr=logs["learning_rate"],
                loss=logs["loss"],
                grad_norm=logs["grad_norm"],
                tok_per_s=round(logs["tok_per_s"]),
                mem=f"{logs['memory_gib']:.1f}GiB",
                eta=duration(self._seconds_left(state)),
            )
        elif "eval_loss" in logs:
            # The record itself is in the history by now; the base's own loss, at step 0, is one to beat.
            before = [record["eval_loss"] for record in state.log_history[:-1] if "eval_loss" in record]
            best = {"best": "yes" if logs["eval_loss"] < min(before) else "no"} if before else {}
            run_log("EVAL", run_id=self.run_id, step=step, val_loss=logs["eval_loss"], **best)

    def _seconds_left(self, state: TrainerState) -> float:
        """At the pace of this process's steps so far, with what validation and saving took."""
        assert self._began is not None
        done = state.global_step - self._first_step
        return (time.perf_counter() - self._began) / done * (state.max_steps - state.global_step)


def duration(seconds: float) -> str:
    """`42s`, `3m10s`, `2h05m`, `3d04h`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02d}h"
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
