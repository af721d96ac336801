"""Attention of several sequences in one row, each by itself: no padding is computed, and no mask needed."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from sft.cpu.prefixes import Span

_NAME = "sft_sequences"


class Sequences:
    """Lets a model take sequences in a row, without one seeing what is not its own."""

    def __init__(self, config: Any) -> None:
        self._config = config
        self._plain = config._attn_implementation
        self._lengths: list[int] = []
        """Of the pieces that the row falls into where a sequence's span starts or ends."""
        self._pieces: list[list[int]] = []
        """Numbers of those that each sequence is made of."""
        self._own: list[int] = []
        """How many tokens of each sequence stand for it alone; they are its last ones."""

    @property
    def supported(self) -> bool:
        """Models whose attention is plain and causal; others keep padded rows and masks."""
        kinds = set(getattr(self._config, "layer_types", None) or ["full_attention"])
        window = getattr(self._config, "sliding_window", None)
        return self._plain == "sdpa" and kinds == {"full_attention"} and window is None

    def begin(self, spans: list[list[Span]]) -> None:
        """From now on rows hold sequences made of these spans; until the backward pass is over, or `end`.

        Gradient checkpointing computes attention again in the backward pass.
        """
        cuts = sorted({at for sequence in spans for span in sequence for at in span})
        number = {cut: index for index, cut in enumerate(cuts)}
        self._lengths = [end - start for start, end in pairwise(cuts)]
        self._pieces = [
            [piece for start, end in sequence for piece in range(number[start], number[end])]
            for sequence in spans
        ]
        self._own = [sequence[-1][1] - sequence[-1][0] for sequence in spans]
        ALL_ATTENTION_FUNCTIONS.register(_NAME, self._attend)
        self._config._attn_implementation = _NAME

    def end(self) -> None:
        """Attention is the model's own again, with its masks."""
        self._config._attn_implementation = self._plain

    def _attend(
        self,
        module: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: None,
        dropout: float = 0.0,
        scaling: float | None = None,
        **others: Any,
    ) -> tuple[Tensor, None]:
        """Shapes: query (1, heads, tokens, d), key and value (1, fewer heads, tokens, d)."""
        # Once: each slice would cost a gradient of the whole row.
        split = [x.split(self._lengths, dim=2) for x in (query, key, value)]
        outputs = []
        for pieces, own in zip(self._pieces, self._own, strict=True):
            q, k, v = (_joined([parts[piece] for piece in pieces]) for parts in split)
            output = scaled_dot_product_attention(
                q, k, v, dropout_p=dropout, scale=scaling, is_causal=True, enable_gqa=True
            )
            outputs.append(output[:, :, -own:])  # a shared beginning has its results where it first stands
        return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None


def _joined(pieces: list[Tensor]) -> Tensor:
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=2)
