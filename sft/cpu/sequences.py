"""Attention of several sequences in one row, each by itself: no padding is computed, and no mask needed."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers.integrations.sdpa_attention import repeat_kv
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from sft.cpu.prefixes import Span

_NAME = "sft_sequences"


class Sequences:
    """Lets a model take sequences in a row, without one seeing what is not its own."""

    def __init__(self, config: Any) -> None:
        self._config = config
        self._plain = config._attn_implementation
        self._spans: list[list[Span]] = []

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
        self._spans = spans
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
        groups = getattr(module, "num_key_value_groups", 1)
        states = (query, repeat_kv(key, groups), repeat_kv(value, groups))
        outputs = []
        for spans in self._spans:
            q, k, v = (torch.cat([x[:, :, start:end] for start, end in spans], dim=2) for x in states)
            output = scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=scaling, is_causal=True)
            own = spans[-1][1] - spans[-1][0]  # a shared beginning has its results where it first stands
            outputs.append(output[:, :, -own:])
        return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None
