"""The loss of a causal language model on a CPU, where TRL's fused head, a Triton kernel, does not run."""

from dataclasses import dataclass
from types import MethodType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sft.cpu.cross_entropy import linear_cross_entropy
from sft.cpu.last_block import LastBlock, take
from sft.cpu.prefixes import in_a_row
from sft.cpu.sequences import Sequences
from sft.data.examples import IGNORE


@dataclass
class HeadOutput:
    """`nll` is the sum of the negative log-likelihood of the trained tokens, in nats; a scalar."""

    nll: Tensor


def add_cpu_head(causal_lm: Any) -> bool:
    """Let `causal_lm(input_ids=..., labels=...)` return a `HeadOutput`; without labels it is as before.

    Only the hidden states of trained positions meet the LM head, so full logits are never built; and where
    the model's attention allows it, padding is left out of the whole pass, and a system prompt that examples
    of a batch share is computed once. The forward pass itself is replaced, and not called around, so that
    wrappers of the model (DistributedDataParallel) see it.
    Examples that are packed in a row have `position_ids` that start anew.

    Returns whether padding is left out, so that batches need not be of like length.
    """
    plain = causal_lm.forward
    last_block, sequences = LastBlock(causal_lm), Sequences(causal_lm.config)

    def forward(
        self: Any,
        input_ids: Tensor | None = None,
        labels: Tensor | None = None,
        position_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **others: Any,
    ) -> Any:
        if labels is None or input_ids is None:
            last_block.narrow(None)
            sequences.end()
            return plain(
                input_ids=input_ids, position_ids=position_ids, attention_mask=attention_mask, **others
            )
        targets = functional.pad(labels[:, 1:], (0, 1), value=IGNORE)
        if sequences.supported:
            row = in_a_row(*_sequences(input_ids, targets, attention_mask, position_ids))
            input_ids, targets, position_ids = row.tokens, row.targets, row.positions
            sequences.begin(row.spans)
        rows = (targets.flatten() != IGNORE).nonzero().squeeze(1)
        last_block.narrow(rows)
        # Without a mask attention is causal: padding, if it is there, is on the right, where no token looks.
        hidden = self.base_model(
            input_ids=input_ids, position_ids=position_ids, use_cache=False
        ).last_hidden_state
        return HeadOutput(nll=_head_loss(self, take(hidden.flatten(0, 1), rows), targets.flatten()[rows]))

    causal_lm.forward = MethodType(forward, causal_lm)
    return sequences.supported


def _sequences(
    input_ids: Tensor, targets: Tensor, mask: Tensor | None, position_ids: Tensor | None
) -> tuple[list[Tensor], list[Tensor]]:
    """Tokens and targets of each sequence of a padded batch, or of a packed row (1, tokens)."""
    if position_ids is not None:
        starts = (position_ids[0] == 0).nonzero().squeeze(1)
        lengths = torch.diff(starts, append=starts.new_tensor([position_ids.shape[1]])).tolist()
        return list(input_ids[0].split(lengths)), list(targets[0].split(lengths))
    kept = torch.ones_like(input_ids, dtype=torch.bool) if mask is None else mask.bool()
    rows = range(len(input_ids))
    return [input_ids[row][kept[row]] for row in rows], [targets[row][kept[row]] for row in rows]


def _head_loss(causal_lm: Any, hidden: Tensor, targets: Tensor) -> Tensor:
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
