"""TRL's SFTTrainer with a loss that runs on CPU, length-grouped batches in an order that a resumed run
repeats, a validation loss by token, and token counts."""

from typing import Any

import torch
from torch.nn import functional
from trl import SFTTrainer

from sft.batching import LengthGroupedSampler
from sft.cross_entropy import linear_cross_entropy
from sft.examples import IGNORE


class SupportTrainer(SFTTrainer):
    """SFTTrainer on rendered examples of the given `lengths` (tokens).

    `supervised_seen` and `tokens_seen` count what this process has trained on, padding left out.
    """

    def __init__(self, *, lengths: list[int], sampler_seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lengths = lengths
        self._sampler_seed = sampler_seed
        self.tokens_seen = 0
        self.supervised_seen = 0
        self._eval_nll = 0.0
        self._eval_tokens = 0

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        return LengthGroupedSampler(self._lengths, size, self._sampler_seed)

    def training_step(self, model: Any, inputs: dict[str, torch.Tensor], *args: Any, **kwargs: Any) -> Any:
        self.tokens_seen += int(inputs["attention_mask"].sum())
        self.supervised_seen += int((inputs["labels"][:, 1:] != IGNORE).sum())
        return super().training_step(model, inputs, *args, **kwargs)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Mean negative log-likelihood of the trained tokens, over `num_items_in_batch` where given.

        On a GPU this is TRL's fused head. That is a Triton kernel, which CPUs do not have: there, only the
        hidden states of trained positions meet the LM head, so full logits are never built either. Without
        a mask, attention takes its causal path; padding is on the right, where no real token looks.
        """
        if inputs["input_ids"].device.type != "cpu":
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        causal_lm = self.accelerator.unwrap_model(model).get_base_model()
        targets = inputs["labels"][:, 1:]
        trained = targets != IGNORE
        with self.accelerator.autocast():  # bfloat16 where the arguments ask for it
            hidden = causal_lm.base_model(input_ids=inputs["input_ids"], use_cache=False).last_hidden_state
            nll = _head_loss(causal_lm, hidden[:, :-1][trained], targets[trained])
        count = trained.sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
        return nll / count.clamp(min=1)

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> tuple[torch.Tensor, None, None]:
        """Validation needs the loss alone: logits kept for a whole split would fill the memory."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = self.compute_loss(model, inputs)
        tokens = int((inputs["labels"][:, 1:] != IGNORE).sum())
        self._eval_nll += float(loss) * tokens
        self._eval_tokens += tokens
        return loss.detach(), None, None

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Report the loss by token: Trainer's own mean of batch means depends on how rows are batched."""
        self._eval_nll, self._eval_tokens = 0.0, 0
        output = super().evaluation_loop(*args, **kwargs)
        output.metrics["eval_loss"] = self._eval_nll / max(self._eval_tokens, 1)
        return output


def _head_loss(causal_lm: Any, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Sum of the negative log-likelihood of `targets` (n,) under the head's logits of `hidden` (n, d)."""
    head = causal_lm.get_output_embeddings()
    softcap = getattr(causal_lm.config, "final_logit_softcapping", None)
    if hidden.dtype == head.weight.dtype == torch.float32 and not softcap and head.bias is None:
        return linear_cross_entropy(hidden, head.weight, targets)
    logits = head(hidden).float()
    if softcap:  # Gemma 2
        logits = softcap * torch.tanh(logits / softcap)
    return functional.cross_entropy(logits, targets, reduction="sum")
