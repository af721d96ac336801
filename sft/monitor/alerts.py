"""`[ALERT]` lines for what needs a look, and a stop before a NaN gets into the weights."""

import math
from collections.abc import Iterable
from typing import Any, Literal

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from common.console import say
from common.errors import UserError
from sft.monitor.rules import WINDOW, no_learning, overfitting, spike

Kind = Literal["overfitting", "loss_spike", "gradient_spike", "no_learning", "nan"]

_LOSS_FACTOR = 1.5
_GRADIENT_FACTOR = 3.0
_MOST_ROWS = 16
_MOST_ALERTS = 200
_FIX = (
    "look at those rows; lower learning_rate; use dtype=bfloat16 or float32. "
    "The checkpoints are kept: the same command goes on from the last one"
)


class Alerts(TrainerCallback, ExportableState):
    """Watches its `trainer`, a `SupportTrainer`: every step's loss and gradient norm, and every evaluation.

    `alerts` holds `step`, `kind`, `message` and, for a step, the ids of its `rows` (16 at most). They are
    saved with each checkpoint. With several processes each watches its own share of the steps, and what is
    said and saved is the main one's; any of them stops the run.

    Raises:
        UserError: in a step whose loss or gradient norm is NaN or infinite, before the weights move.
    """

    def __init__(self) -> None:
        self.trainer: Any = None
        self.alerts: list[dict[str, Any]] = []
        self.losses: list[float] = []
        self.grad_norms: list[float] = []
        self.spiking: list[str] = []

    def state(self) -> dict[str, Any]:
        """What a resumed run goes on with."""
        names = ("alerts", "losses", "grad_norms", "spiking")
        return {"args": {}, "attributes": {name: list(getattr(self, name)) for name in names}}

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        record, step = self.trainer.step, state.global_step + 1
        # One look at the device a step: the losses lie there until then.
        losses = torch.stack(record.losses).tolist()
        for loss, rows in zip(losses, record.rows, strict=True):
            if not math.isfinite(loss):
                self._stop(args, step, f"the loss of a micro-batch is {loss}", rows)
        rows = [row for micro_batch in record.rows for row in micro_batch]
        self._watch(args, step, "loss_spike", self.losses, sum(losses), _LOSS_FACTOR, rows)
        if record.grad_norm is None:
            return
        norm = float(record.grad_norm)
        if math.isfinite(norm):
            self._watch(args, step, "gradient_spike", self.grad_norms, norm, _GRADIENT_FACTOR, rows)
        elif self.trainer.accelerator.scaler is None:
            self._stop(args, step, f"the gradient norm is {norm}", rows)
        else:
            message = "a gradient overflowed float16, and its step was left out: normal at first"
            self._once(args, step, "nan", message)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        step = state.global_step
        self._once(args, step, "overfitting", overfitting(state.log_history))
        self._once(args, step, "no_learning", no_learning(state.log_history, state.max_steps))

    def _watch(
        self,
        args: TrainingArguments,
        step: int,
        kind: Kind,
        values: list[float],
        new: float,
        factor: float,
        rows: list[int],
    ) -> None:
        """Compare with earlier steps; a run of spikes is told once, at its first."""
        middle = spike(values, new, factor)
        values.append(new)
        del values[:-WINDOW]
        if middle is None:
            self.spiking = [other for other in self.spiking if other != kind]
        elif kind not in self.spiking:
            self.spiking.append(kind)
            what = "loss" if kind == "loss_spike" else "gradient norm"
            message = f"{what} {new:.3f}, against a median of {middle:.3f}"
            self._tell(args, step, kind, message, rows)

    def _stop(self, args: TrainingArguments, step: int, what: str, rows: list[int]) -> None:
        self._tell(args, step, "nan", what, rows)
        ids = ", ".join(self._row_ids(rows))
        raise UserError(f"{what} at step {step}; its rows: {ids}. No weight was changed by it", _FIX)

    def _once(self, args: TrainingArguments, step: int, kind: Kind, message: str | None) -> None:
        if message is not None and all(alert["kind"] != kind for alert in self.alerts):
            self._tell(args, step, kind, message)

    def _tell(
        self, args: TrainingArguments, step: int, kind: Kind, message: str, rows: Iterable[int] = ()
    ) -> None:
        if len(self.alerts) >= _MOST_ALERTS:
            return
        alert: dict[str, Any] = {"step": step, "kind": kind, "message": message}
        if ids := self._row_ids(rows):
            alert["rows"] = ids
        self.alerts.append(alert)
        tail = f"; rows {', '.join(ids)}" if ids else ""
        say(f"[ALERT] run_id={args.run_name} step={step} {kind}: {message}{tail}")

    def _row_ids(self, rows: Iterable[int]) -> list[str]:
        """Ids of the dataset's rows; one that gave several examples counts once."""
        return list(dict.fromkeys(self.trainer.row_ids[row] for row in rows))[:_MOST_ROWS]
