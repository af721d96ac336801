"""`[ALERT]` lines for what needs a look, and a stop before a NaN gets into the weights."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import torch
from accelerate.utils import gather_object
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from common.console import say
from common.errors import UserError
from sft import ranks
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
    saved with each checkpoint. With several processes each watches its own share of the steps for spikes, and
    what is said and saved is the main one's; a NaN stops all of them with the rows of the one that met it.

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
        self._stop_at_nan(args, step, losses, record.rows)
        rows = [row for micro_batch in record.rows for row in micro_batch]
        self._watch(args, step, "loss_spike", self.losses, sum(losses), _LOSS_FACTOR, rows)
        if record.grad_norm is None:
            return
        norm = float(record.grad_norm)
        if math.isfinite(norm):
            self._watch(args, step, "gradient_spike", self.grad_norms, norm, _GRADIENT_FACTOR, rows)
        elif self.trainer.accelerator.scaler is None:
            self._stop(args, step, f"the gradient norm is {norm}", self._row_ids(rows))
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
            self._tell(args, step, kind, message, self._row_ids(rows))

    def _stop_at_nan(
        self, args: TrainingArguments, step: int, losses: list[float], rows: list[list[int]]
    ) -> None:
        """All processes stop by the first bad micro-batch of any, so that the main one names its rows."""
        bad = [
            (loss, self._row_ids(micro_batch))
            for loss, micro_batch in zip(losses, rows, strict=True)
            if not math.isfinite(loss)
        ]
        if ranks.world_size() > 1:
            anywhere = self.trainer.summed_over_processes(torch.tensor(float(len(bad))))
            bad = gather_object(bad) if anywhere else []
        if bad:
            loss, ids = bad[0]
            self._stop(args, step, f"the loss of a micro-batch is {loss}", ids)

    def _stop(self, args: TrainingArguments, step: int, what: str, ids: list[str]) -> None:
        self._tell(args, step, "nan", what, ids)
        # DeepSpeed takes its step in the backward pass, before this.
        spoilt = "" if ranks.is_deepspeed() else ". No weight was changed by it"
        raise UserError(f"{what} at step {step}; its rows: {', '.join(ids)}{spoilt}", _FIX)

    def _once(self, args: TrainingArguments, step: int, kind: Kind, message: str | None) -> None:
        if message is not None and all(alert["kind"] != kind for alert in self.alerts):
            self._tell(args, step, kind, message)

    def _tell(
        self, args: TrainingArguments, step: int, kind: Kind, message: str, ids: Sequence[str] = ()
    ) -> None:
        if len(self.alerts) >= _MOST_ALERTS:
            return
        alert: dict[str, Any] = {"step": step, "kind": kind, "message": message}
        if ids:
            alert["rows"] = list(ids)
        self.alerts.append(alert)
        tail = f"; rows {', '.join(ids)}" if ids else ""
        say(f"[ALERT] run_id={args.run_name} step={step} {kind}: {message}{tail}")

    def _row_ids(self, rows: Iterable[int]) -> list[str]:
        """Ids of the dataset's rows; one that gave several examples counts once."""
        return list(dict.fromkeys(self.trainer.row_ids[row] for row in rows))[:_MOST_ROWS]
