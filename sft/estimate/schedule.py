"""Steps of a run: how many, how many of them warm up, when it evaluates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sft import ranks
from sft.config import TrainConfig


@dataclass(frozen=True)
class Schedule:
    """Counts for a run that no early stop ends. `batch` examples (packed rows) make one optimizer step."""

    rows: int
    batch: int
    steps: int
    warmup: int
    checkpoints: int

    @property
    def evaluations(self) -> int:
        """One at each checkpoint, and the base's own before the first step."""
        return self.checkpoints + 1

    @property
    def epochs(self) -> float:
        """Passes over the training data."""
        return self.steps * self.batch / self.rows


def schedule(config: TrainConfig, rows: int) -> Schedule:
    """The schedule of a run on so many training rows, by the Trainer's arithmetic."""
    micro = config.per_device_train_batch_size * ranks.world_size()
    batch = micro * config.gradient_accumulation_steps
    steps_an_epoch = math.ceil(math.ceil(rows / micro) / config.gradient_accumulation_steps)
    steps = config.max_steps or math.ceil(config.num_train_epochs * max(steps_an_epoch, 1))
    return Schedule(
        rows=rows,
        batch=batch,
        steps=steps,
        warmup=math.ceil(steps * config.warmup_ratio),
        checkpoints=math.ceil(steps / config.eval_steps),  # the last step has one too
    )


def rows_of(config: TrainConfig, lengths: Sequence[int], packing: bool) -> int:
    """Rows that examples of these lengths make."""
    if not packing:
        return len(lengths)
    from sft.data.packing import pack

    return len(pack(lengths, config.max_length, config.sampler_seed))
