"""What a model is made of, from its config alone: no weight is loaded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.errors import cannot_load
from common.models import source
from sft.config import LoraOptions

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


@dataclass(frozen=True)
class Matrix:
    """A linear layer's weight (`experts` 1), or those of all experts of a block, stacked in one parameter."""

    name: str
    block: int
    inputs: int
    outputs: int
    experts: int = 1

    @property
    def size(self) -> int:
        """Weights."""
        return self.inputs * self.outputs * self.experts

    def lora(self, r: int) -> int:
        """Weights of a LoRA adapter of rank `r` on it; experts have one each."""
        return r * (self.inputs + self.outputs) * self.experts


@dataclass(frozen=True)
class Architecture:
    """Counts and widths of a decoder.

    `total` are all weights, tied ones once. `linear` are the linear layers in its blocks, which bitsandbytes
    quantises; `stacked` the experts' stacked weights, which it leaves alone. `mlp` is how many values of the
    feed-forward layer's width a token has in one block, `chosen` how many experts work on it (1: no experts).
    """

    total: int
    linear: tuple[Matrix, ...]
    stacked: tuple[Matrix, ...]
    layers: int
    hidden: int
    vocabulary: int
    tied: bool
    heads: int
    query_width: int
    key_width: int
    mlp: int
    chosen: int

    @property
    def quantisable(self) -> int:
        """Weights of the linear layers in blocks."""
        return sum(matrix.size for matrix in self.linear)

    @property
    def head(self) -> int:
        """Weights of the output layer."""
        return self.hidden * self.vocabulary

    @property
    def active(self) -> int:
        """Weights of the blocks that one token is multiplied with."""
        idle = sum(matrix.size * (1 - self.chosen / matrix.experts) for matrix in self.stacked)
        return round(self.total - self.head * (1 if self.tied else 2) - idle)

    @property
    def active_total(self) -> int:
        """`active`, embeddings and output layer: what model cards call activated parameters."""
        return self.active + self.head * (1 if self.tied else 2)

    def targets(self, lora: LoraOptions) -> list[Matrix]:
        """The matrices that get adapters."""
        first = self.layers - (lora.top_layers or self.layers)
        chosen = [m for m in self.linear if m.name.rpartition(".")[2] in lora.target_modules]
        chosen += [m for m in self.stacked if m.name.endswith(tuple(f".{n}" for n in lora.target_parameters))]
        return [matrix for matrix in chosen if matrix.block >= first]

    def adapter_weights(self, lora: LoraOptions) -> int:
        """Weights of the adapter."""
        targets = self.targets(lora)
        return sum(m.lora(lora.r) + (m.outputs if lora.use_dora else 0) for m in targets)


def read_architecture(model: str) -> Architecture:
    """The architecture of a model folder or of a hub's model, by its config.json.

    Raises:
        UserError: there is no such model, or the hub can't be reached.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(source(model))
    except (OSError, ValueError) as error:
        raise cannot_load("the architecture of", model, error) from error
    return architecture_of(config)


def architecture_of(config: "PreTrainedConfig") -> Architecture:
    """Build the model on PyTorch's meta device, where weights have shapes and no memory, and measure it."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    text = config.get_text_config()
    head_width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    stacked = tuple(_stacked(model))
    experts = stacked[0].experts if stacked else 1
    chosen = text.num_experts_per_tok if experts > 1 else 1
    width = getattr(text, "moe_intermediate_size", None) if experts > 1 else None
    return Architecture(
        total=sum(parameter.numel() for parameter in model.parameters()),
        linear=tuple(_linear(model)),
        stacked=stacked,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        vocabulary=text.vocab_size,
        tied=bool(text.tie_word_embeddings),
        heads=text.num_attention_heads,
        query_width=text.num_attention_heads * head_width,
        key_width=(text.num_key_value_heads or text.num_attention_heads) * head_width,
        mlp=chosen * (width or text.intermediate_size),
        chosen=chosen,
    )


def _linear(model: Any) -> list[Matrix]:
    from torch import nn

    head = model.get_output_embeddings()
    return [
        Matrix(name, _block(name), module.in_features, module.out_features)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    ]


def _stacked(model: Any) -> Sequence[Matrix]:
    return [
        Matrix(name, _block(name), parameter.shape[2], parameter.shape[1], experts=parameter.shape[0])
        for name, parameter in model.named_parameters()
        if parameter.dim() == 3
    ]


def _block(name: str) -> int:
    found = re.search(r"\.(\d+)\.", name)
    return int(found[1]) if found else -1
