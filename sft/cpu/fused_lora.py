"""LoRA layers for float32 training on CPU: the same mathematics as PEFT's, in fewer and cheaper operations.

Two things cost PEFT's layers their time on a CPU. PyTorch draws dropout masks one number at a time on one
core (28 % of a step at p = 0.05), and each layer draws its own, although the q, k and v projections of a
block read the same input, as do gate and up. And the low-rank path adds four whole-matrix operations to
each layer, forward and backward.

Here layers that read the same tensor share one mask, drawn 16 bits an element by a fast generator that is
seeded from torch's (so a resumed run draws the same masks); and the low-rank product is accumulated into
the base product (`addmm`), with a backward pass that stores nothing but the dropped input and its rank-r
projection. Without dropout, outputs and gradients equal PEFT's to rounding
(`tests/sft/cpu/test_fused_lora.py`). `make bench-sft` measures the gain.
"""

import functools
from typing import Any

import numpy as np
import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn

_ADAPTER = "default"


def fuse(model: nn.Module) -> int:
    """Replace the forward pass of every plain LoRA linear layer below `model`; return how many.

    Layers that a fused pass would change (biases in the adapter, DoRA, other variants) are left alone.
    """
    fused = 0
    for parent in model.modules():
        siblings = [child for child in parent.children() if _is_plain(child)]
        shared = _SharedDropout()
        for layer in siblings:
            layer.forward = functools.partial(_forward, layer, shared)
        fused += len(siblings)
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


def _forward(layer: Any, shared: "_SharedDropout", x: Tensor) -> Tensor:
    if layer.disable_adapters or layer.merged:
        return layer.base_layer(x)
    dropout = layer.lora_dropout[_ADAPTER]
    p = dropout.p if layer.training and isinstance(dropout, nn.Dropout) else 0.0
    return _LoraProduct.apply(
        x,
        shared.dropped(x, p),
        layer.base_layer.weight,
        layer.lora_A[_ADAPTER].weight,
        layer.lora_B[_ADAPTER].weight,
        layer.scaling[_ADAPTER],
    )


class _SharedDropout:
    """The dropped input of sibling layers, drawn once for each tensor that comes in."""

    def __init__(self) -> None:
        self._input: Tensor | None = None
        self._dropped: Tensor | None = None

    def dropped(self, x: Tensor, p: float) -> Tensor:
        if p == 0:
            return x
        if self._input is not x or self._dropped is None:
            self._input, self._dropped = x, _Dropout.apply(x, p)
        return self._dropped


class _Dropout(torch.autograd.Function):
    """Inverted dropout; p is rounded to a multiple of 2^-16."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float) -> Tensor:
        seed = int(torch.randint(2**62, ()))
        words = np.random.Generator(np.random.SFC64(seed)).bytes(2 * x.numel())
        bits = torch.frombuffer(bytearray(words), dtype=torch.int16).view(x.shape)
        keep = (bits >= round(p * 2**16) - 2**15).to(x.dtype).mul_(1 / (1 - p))
        ctx.save_for_backward(keep)
        return x * keep

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (keep,) = ctx.saved_tensors
        return gradients[0] * keep, None


class _LoraProduct(torch.autograd.Function):
    """y = x W^T + s (d A^T) B^T, where d is x after dropout; W is frozen.

    Shapes: x and d (..., in), W (out, in), A (r, in), B (out, r), y (..., out).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, d: Tensor, w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
        d_rows = d.reshape(-1, d.shape[-1])
        projected = d_rows @ a.t()
        y = x.reshape(-1, x.shape[-1]) @ w.t()
        y.addmm_(projected, b.t(), alpha=scale)
        ctx.save_for_backward(d_rows, projected, w, a, b)
        ctx.scale, ctx.input_shape = scale, x.shape
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        d_rows, projected, w, a, b = ctx.saved_tensors
        g = gradients[0].reshape(-1, gradients[0].shape[-1])
        g_projected = (g @ b).mul_(ctx.scale)
        grad_x = (g @ w).view(ctx.input_shape) if ctx.needs_input_grad[0] else None
        grad_d = (g_projected @ a).view(ctx.input_shape) if ctx.needs_input_grad[1] else None
        grad_a = g_projected.t() @ d_rows
        grad_b = (g.t() @ projected).mul_(ctx.scale)
        return grad_x, grad_d, None, grad_a, grad_b, None
