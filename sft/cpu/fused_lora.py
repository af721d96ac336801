"""LoRA layers for float32 training on CPU: the same mathematics as PEFT's, in fewer and cheaper operations.

Two things cost PEFT's layers their time on a CPU. PyTorch draws dropout masks one number at a time on one
core (28 % of a step at p = 0.05), and each layer draws its own, although the q, k and v projections of a
block read the same input, as do gate and up. And the low-rank path adds four whole-matrix operations to
each layer, forward and backward.

Here layers that read the same tensor are one operation (`_GroupProduct`): they share one dropout mask, of
which only the few dropped places are drawn (`dropped_places`); the low-rank product is accumulated into the
base product (`addmm`); and so are the gradients of their input, which autograd would add one whole matrix
after the other. Without dropout, outputs and gradients equal PEFT's to rounding
(`tests/sft/cpu/test_fused_lora.py`). `make bench-sft` measures the gain.
"""

import functools
from typing import Any

import numpy as np
import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn

_ADAPTER = "default"
_SAME_INPUT = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Names of neighbours that read the same tensor, in the order in which they are called."""


def fuse(model: nn.Module) -> int:
    """Replace the forward pass of every plain LoRA linear layer below `model`; return how many.

    Layers that a fused pass would change (biases in the adapter, DoRA, other variants) are left alone.
    """
    fused = 0
    for parent in model.modules():
        plain = {name: child for name, child in parent.named_children() if _is_plain(child)}
        for names in (*_SAME_INPUT, *((name,) for name in plain)):
            group = [plain.pop(name) for name in names if name in plain]
            outputs = _Outputs(group)
            for number, layer in enumerate(group):
                layer.forward = functools.partial(_forward, layer, outputs, number)
            fused += len(group)
    return fused


def _is_plain(module: nn.Module) -> bool:
    return (
        type(module) is LoraLinear
        and type(module.base_layer) is nn.Linear
        and module.base_layer.bias is None
        and module.active_adapters == [_ADAPTER]
        and not module.lora_bias[_ADAPTER]
        and not module.lora_variant
        and not module.fan_in_fan_out
    )


def _forward(layer: Any, outputs: "_Outputs", number: int, x: Tensor) -> Tensor:
    if layer.disable_adapters or layer.merged:
        return layer.base_layer(x)
    return outputs.of(number, x)


class _Outputs:
    """Outputs of layers with the same input: all are computed when the first is asked for, and handed out."""

    def __init__(self, group: list[Any]) -> None:
        self._group = group
        self._input: Tensor | None = None
        self._waiting: dict[int, Tensor] = {}

    def of(self, number: int, x: Tensor) -> Tensor:
        if self._input is not x or number not in self._waiting:
            self._input, self._waiting = x, dict(enumerate(_product(self._group, x)))
        output = self._waiting.pop(number)
        if not self._waiting:
            self._input = None  # keeps no activation alive
        return output


def _product(group: list[Any], x: Tensor) -> tuple[Tensor, ...]:
    first = group[0]
    dropout = first.lora_dropout[_ADAPTER]
    p = dropout.p if first.training and isinstance(dropout, nn.Dropout) else 0.0
    places = dropped_places(x.numel(), p) if p else None
    weights = (
        *(layer.base_layer.weight for layer in group),
        *(layer.lora_A[_ADAPTER].weight for layer in group),
        *(layer.lora_B[_ADAPTER].weight for layer in group),
    )
    result: tuple[Tensor, ...] = _GroupProduct.apply(x, places, first.scaling[_ADAPTER] / (1 - p), *weights)
    return result


def dropped_places(count: int, p: float) -> Tensor:
    """Places of `count` that a Bernoulli(p) mask drops, ascending, int64: gaps between them are geometric.

    So p * count numbers are drawn instead of `count`. Seeded from torch's generator: a resumed run draws the
    same.
    """
    rng = np.random.Generator(np.random.SFC64(int(torch.randint(2**62, ()))))
    enough = int(count * p + 6 * (count * p) ** 0.5 + 16)
    places = np.empty(0, dtype=np.int64)
    while not len(places) or places[-1] < count:  # a second round is needed once in a billion draws
        gaps = rng.standard_exponential(enough, dtype=np.float32) * np.float32(-1 / np.log1p(-p))
        start = places[-1] if len(places) else -1
        places = np.concatenate([places, start + np.cumsum(gaps.astype(np.int64) + 1)])
    return torch.from_numpy(places[: np.searchsorted(places, count)])


class _GroupProduct(torch.autograd.Function):
    """y_i = x W_i^T + s (d A_i^T) B_i^T for layers i, where d is x with dropped places set to 0; W is frozen.

    `scale` holds dropout's 1 / (1 - p). Shapes: x (..., in), places (dropped,), W_i (out_i, in),
    A_i (r_i, in), B_i (out_i, r_i), y_i (..., out_i).
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, places: Tensor | None, scale: float, *weights: Tensor
    ) -> tuple[Tensor, ...]:
        count = len(weights) // 3
        bases, a, bs = weights[:count], torch.cat(weights[count : 2 * count]), weights[2 * count :]
        x_rows = x.reshape(-1, x.shape[-1])
        d_rows = x_rows
        if places is not None:
            d_rows = x_rows.clone(memory_format=torch.contiguous_format)
            d_rows.view(-1).index_fill_(0, places, 0)
        projected = d_rows @ a.t()
        outputs = []
        for base, b, part in zip(bases, bs, _split(projected, bs), strict=True):
            y = x_rows @ base.t()
            outputs.append(y.addmm_(part, b.t(), alpha=scale).view(*x.shape[:-1], base.shape[0]))
        ctx.save_for_backward(d_rows, projected, places, a, *bases, *bs)
        ctx.scale, ctx.input_shape = scale, x.shape
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        d_rows, projected, places, a, *rest = ctx.saved_tensors
        bases, bs = rest[: len(gradients)], rest[len(gradients) :]
        gs = [g.reshape(-1, g.shape[-1]) for g in gradients]
        g_projected = torch.cat([g @ b for g, b in zip(gs, bs, strict=True)], dim=1).mul_(ctx.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = g_projected @ a
            if places is not None:
                grad_x.view(-1).index_fill_(0, places, 0)
            for g, base in zip(gs, bases, strict=True):
                grad_x.addmm_(g, base)
            grad_x = grad_x.view(ctx.input_shape)
        grad_as = _split((g_projected.t() @ d_rows).t(), bs)
        grad_bs = [(g.t() @ part).mul_(ctx.scale) for g, part in zip(gs, _split(projected, bs), strict=True)]
        frozen = [None] * len(bases)
        return grad_x, None, None, *frozen, *(part.t() for part in grad_as), *grad_bs


def _split(columns: Tensor, bs: Any) -> tuple[Tensor, ...]:
    """The columns of each layer, whose rank is the width of its B."""
    return columns.split([b.shape[1] for b in bs], dim=1)
