"""The loss of a causal language model on a CPU, where TRL's fused head, a Triton kernel, does not run."""

from dataclasses import dataclass
from types import MethodType
from typing import Any

import torch
from torch.nn import functional

from sft.cpu.cross_entropy import linear_cross_entropy
from sft.cpu.last_block import LastBlock
from sft.data.examples import IGNORE


@dataclass
class HeadOutput:
    """`nll` is the sum of the negative log-likelihood of the trained tokens, in nats; a scalar."""

    nll: torch.Tensor


def add_cpu_head(causal_lm: Any) -> None:
    """Let `causal_lm(input_ids=..., labels=...)` return a `HeadOutput`; without labels it is as before.

    Only the hidden states of trained positions meet the LM head, so full logits are never built. The forward
    pass itself is replaced, and not called around, so that wrappers of the model (DistributedDataParallel)
    see it. Without a mask, attention takes its causal path: padding is on the right, where no real token
    looks. With `position_ids` that start anew, Transformers masks the packed examples from each other.
    """
    plain = causal_lm.forward
    last_block = LastBlock(causal_lm)

    def forward(
        self: Any,
        input_ids: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        **others: Any,
    ) -> Any:
        if labels is None:
            last_block.narrow(None)
            return plain(input_ids=input_ids, position_ids=position_ids, **others)
        targets = functional.pad(labels[:, 1:], (0, 1), value=IGNORE).flatten()
        rows = (targets != IGNORE).nonzero().squeeze(1)
        last_block.narrow(rows)
        hidden = self.base_model(
            input_ids=input_ids, position_ids=position_ids, use_cache=False
        ).last_hidden_state
        return HeadOutput(nll=_head_loss(self, hidden.flatten(0, 1)[rows], targets[rows]))

    causal_lm.forward = MethodType(forward, causal_lm)


def _head_loss(causal_lm: Any, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Sum of the negative log-likelihood of `targets` (n,) under the head's logits of `hidden` (n, d)."""
    head = causal_lm.get_output_embeddings()
    softcap = getattr(causal_lm.config, "final_logit_softcapping", None)
    is_float32 = hidden.dtype == head.weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    if is_float32 and not softcap and head.bias is None:
        return linear_cross_entropy(hidden, head.weight, targets)
    logits = head(hidden).float()
    if softcap:  # Gemma 2
        logits = softcap * torch.tanh(logits / softcap)
    return functional.cross_entropy(logits, targets, reduction="sum")
