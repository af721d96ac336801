"""TRL's SFTTrainer with a loss that runs on CPU, batches in an order that a resumed run repeats, a
validation loss by token, and a record of what each step has trained on."""

import time
from dataclasses import dataclass, field
from typing import Any

import torch
import transformers
from transformers import EarlyStoppingCallback
from trl import SFTTrainer

from sft import ranks
from sft.backends.unsloth import model_inputs
from sft.choices import Backend
from sft.data.batching import LengthGroupedSampler
from sft.data.examples import IGNORE
from sft.data.packing import ShuffledSampler
from sft.monitor.alerts import Alerts


@dataclass
class StepRecord:
    """What one optimizer step has trained on, in this process.

    `losses` are those of the micro-batches, each divided by the trained tokens of the whole step, so that
    their sum is the step's loss; `rows` are their examples' numbers in the training set.
    """

    rows: list[list[int]] = field(default_factory=list)
    losses: list[torch.Tensor] = field(default_factory=list)
    loader_seconds: float = 0.0
    grad_norm: torch.Tensor | float | None = None


class SupportTrainer(SFTTrainer):
    """SFTTrainer on rendered examples of the given `lengths` (tokens), by which batches are grouped.

    None leaves their order to chance alone: they are packed, or padding costs nothing.

    `supervised_seen` and `tokens_seen` count what this process has trained on, padding left out; `step` is
    the record of the current optimizer step, or of the last one once it has ended. `health` are figures that
    callbacks add to the log record of the current step. `row_ids` name the training examples' rows.
    """

    def __init__(
        self,
        *,
        lengths: list[int] | None,
        row_ids: list[str],
        sampler_seed: int,
        backend: Backend,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not ranks.is_sharded():
            self._keep_trained_weights_in_float32()
        self.row_ids = row_ids
        self.health: dict[str, float] = {}
        self.lengths = lengths
        self._sampler_seed = sampler_seed
        self._sampler: LengthGroupedSampler | ShuffledSampler | None = None
        self._backend = backend
        self.tokens_seen = 0
        self.supervised_seen = 0
        self.step = StepRecord()
        self._eval_sums = torch.zeros(2, dtype=torch.float64)
        self.introduce_callbacks()

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """What `Alerts` has found so far, before a resume too: step, kind, message and row ids."""
        watching = [callback for callback in self.callback_handler.callbacks if isinstance(callback, Alerts)]
        return watching[0].alerts if watching else []

    def introduce_callbacks(self) -> None:
        """Tell the callbacks with a `trainer` that it is this one."""
        for callback in self.callback_handler.callbacks:
            if hasattr(callback, "trainer"):
                callback.trainer = self

    def _load_callback_state(self) -> None:
        super()._load_callback_state()
        self.introduce_callbacks()  # a checkpoint's callbacks are new objects

    def _keep_trained_weights_in_float32(self) -> None:
        """TRL turns adapters on a 4-bit base into bfloat16, where a small step is rounded away.

        The second moment of Adam then stays where it was, and float16's gradients can't be scaled back.
        """
        for parameter in self.model.parameters():
            if parameter.requires_grad and parameter.is_floating_point():
                parameter.data = parameter.data.float()

    def round_weights(self, dtype: str) -> None:
        """Once trained, whole weights are given away in the type that they were computed with."""
        if not ranks.is_sharded():
            self.model.to(getattr(torch, dtype))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            logs.update(self.health)
        super().log(logs, start_time)

    def _get_grad_norm(self, *args: Any, **kwargs: Any) -> Any:
        self.step.grad_norm = super()._get_grad_norm(*args, **kwargs)
        return self.step.grad_norm

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler | ShuffledSampler:
        if self.lengths is None:
            self._sampler = ShuffledSampler(len(self.train_dataset), self._sampler_seed)
        else:
            size = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
            self._sampler = LengthGroupedSampler(self.lengths, size, self._sampler_seed)
        return self._sampler

    def _run_epoch(self, *, epoch: int, **kwargs: Any) -> None:
        """One pass over the data, or none where a resumed run was over when it was killed."""
        if self.state.global_step >= self.state.max_steps or self._patience_is_spent():
            self.control.should_training_stop = True
            return
        # Trainer does not reach it through Accelerate's wrappers when several processes resume.
        assert self._sampler is not None
        self._sampler.set_epoch(epoch)
        super()._run_epoch(epoch=epoch, **kwargs)

    def _patience_is_spent(self) -> bool:
        stoppers = (one for one in self.callback_handler.callbacks if isinstance(one, EarlyStoppingCallback))
        return any(one.early_stopping_patience_counter >= one.early_stopping_patience for one in stoppers)

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        """Called once an optimizer step, for all its micro-batches."""
        began = time.perf_counter()
        samples = super().get_batch_samples(*args, **kwargs)
        self.step = StepRecord(loader_seconds=time.perf_counter() - began)
        return samples

    def training_step(self, model: Any, inputs: dict[str, torch.Tensor], *args: Any, **kwargs: Any) -> Any:
        self.step.rows.append(inputs.pop("rows").tolist())
        self.tokens_seen += int(_tokens(inputs))
        self.supervised_seen += int((inputs["labels"][:, 1:] != IGNORE).sum())
        loss = super().training_step(model, inputs, *args, **kwargs)
        self.step.losses.append(loss)
        return loss

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Mean negative log-likelihood of the trained tokens, over `num_items_in_batch` where given.

        Unsloth's models bring a fused loss of their own, TRL's is for other GPUs, `sft.cpu.head` for CPUs.
        """
        inputs = {name: value for name, value in inputs.items() if name != "rows"}
        if self._backend == "unsloth":
            # TRL's own would ask for TRL's head. The count goes by keyword, where Unsloth looks for it.
            return transformers.Trainer.compute_loss(
                self, model, model_inputs(inputs), return_outputs, num_items_in_batch=num_items_in_batch
            )
        if inputs["input_ids"].device.type != "cpu":
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        with self.accelerator.autocast():  # bfloat16 where the arguments ask for it
            nll = model(**inputs).nll
        if num_items_in_batch is None:
            return nll / (inputs["labels"][:, 1:] != IGNORE).sum().clamp(min=1)
        # The count is of all processes, and DistributedDataParallel takes the mean of their gradients.
        return nll * self.accelerator.num_processes / torch.as_tensor(num_items_in_batch).clamp(min=1)

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> tuple[torch.Tensor, None, None]:
        """Validation needs the loss alone: logits kept for a whole split would fill the memory."""
        inputs = self._without_repeated(self._prepare_inputs(inputs))
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = self.compute_loss(model, inputs)
        tokens = int((inputs["labels"][:, 1:] != IGNORE).sum())
        self._eval_sums += torch.tensor([float(loss) * tokens, tokens], dtype=torch.float64)
        return loss.detach(), None, None

    def _without_repeated(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Leave out of the loss what Accelerate repeats to give every process a whole last batch."""
        state = self.accelerator.gradient_state
        if self.accelerator.num_processes > 1 and state.end_of_dataloader and state.remainder > 0:
            before = self.accelerator.process_index * self.args.eval_batch_size
            inputs["labels"][max(state.remainder - before, 0) :] = IGNORE
        return inputs

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Report the loss by token: Trainer's own mean of batch means depends on how rows are batched."""
        prefix = kwargs.get("metric_key_prefix", "eval")
        self._eval_sums.zero_()
        output = super().evaluation_loop(*args, **kwargs)
        nll, tokens = self.summed_over_processes(self._eval_sums).tolist()
        output.metrics[f"{prefix}_loss"] = nll / max(tokens, 1)
        return output

    def summed_over_processes(self, values: torch.Tensor) -> torch.Tensor:
        """To be called by all processes at once."""
        return self.accelerator.reduce(values.to(self.accelerator.device), "sum")


def _tokens(inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    if "attention_mask" in inputs:
        return inputs["attention_mask"].sum()
    return torch.tensor(inputs["input_ids"].numel())  # packed rows have no padding
