"""Health figures in every log record: norms of weights and updates, speed, memory, waiting for data.

Norms need a copy of the trained weights, which is made in the steps that are logged and in no others. Where
FSDP or DeepSpeed shard the weights there are no norms: each process would report its shard's.
"""

import time
from typing import Any

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from common.console import warn
from sft import ranks
from sft.monitor.norms import WeightNorms


class Health(TrainerCallback):
    """Adds figures to the log records of its `trainer`, a `SupportTrainer`.

    The norms are of the logged step itself: see `WeightNorms`. Of the steps since the last record are
    `tok_per_s` and `supervised_tok_per_s` (all processes together; padding, validation and saving left out)
    and `loader_ms` (a step). `memory_gib` is the GPU's peak so far, or what this process holds resident.
    `gpu_utilisation` (percent of the last moment) is left out where NVML is missing.
    """

    def __init__(self) -> None:
        self.trainer: Any = None
        self._norms: WeightNorms | None = None
        self._measures_gpu = False
        self._logged = False
        self._began = 0.0
        self._seen = (0, 0)
        self._clear()

    def _clear(self) -> None:
        self._seconds = self._loader_seconds = 0.0
        self._steps = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if not ranks.is_sharded():
            self._norms = WeightNorms(self.trainer.model)
            if not self._norms.copies:
                warn("over 2 GiB of weights are trained: update norms are left out, since they take a copy")
        self._measures_gpu = gpu_utilisation() is not None
        self._seen = (self.trainer.tokens_seen, self.trainer.supervised_seen)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._began = time.perf_counter()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._logged = will_be_logged(state)
        if self._norms is not None and self._logged:
            self._norms.remember()

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.trainer.health = self._norms.figures() if self._norms is not None and self._logged else {}

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        waited = self.trainer.step.loader_seconds
        self._seconds += time.perf_counter() - self._began + waited
        self._loader_seconds += waited
        self._steps += 1
        if self._logged:
            self.trainer.health |= self._speed() | self._resources()
            self._clear()

    def _speed(self) -> dict[str, float]:
        seen = (self.trainer.tokens_seen, self.trainer.supervised_seen)
        own = [now - before for now, before in zip(seen, self._seen, strict=True)]
        self._seen = seen
        tokens, supervised = self.trainer.summed_over_processes(
            torch.tensor(own, dtype=torch.float64)
        ).tolist()
        return {
            "tok_per_s": tokens / self._seconds,
            "supervised_tok_per_s": supervised / self._seconds,
            "loader_ms": 1000 * self._loader_seconds / self._steps,
        }

    def _resources(self) -> dict[str, float]:
        if self.trainer.args.device.type != "cuda":
            return {"memory_gib": psutil.Process().memory_info().rss / 2**30}
        figures: dict[str, float] = {"memory_gib": torch.cuda.max_memory_allocated() / 2**30}
        if self._measures_gpu and (percent := gpu_utilisation()) is not None:
            figures["gpu_utilisation"] = percent
        return figures


def will_be_logged(state: TrainerState) -> bool:
    """Whether the step under way gets a log record: see `WholeRecords` in `sft.setup`."""
    step = state.global_step + 1
    return bool(step % state.logging_steps == 0 or step % state.save_steps == 0 or step >= state.max_steps)


def gpu_utilisation() -> float | None:
    """Percent of the last moment in which the GPU was busy; None where that can't be asked."""
    if not torch.cuda.is_available():
        return None
    try:
        return float(torch.cuda.utilization())
    except Exception:  # NVML has errors of its own for a missing package, driver or permission, and for MIG
        return None
