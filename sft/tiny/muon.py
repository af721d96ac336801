"""Muon (Jordan et al. 2024) for CPUs: momentum whose update matrices are made orthogonal.

PyTorch's own Muon runs the Newton-Schulz iteration in bfloat16, matrix by matrix. A CPU without amx_bf16 is
faster in float32, and matrices of one shape go through together: the step costs a third.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_STEPS = 5


class Muon(torch.optim.Optimizer):
    """SGD with Nesterov momentum, each update orthogonalised; for matrices inside a network only.

    The update of a (rows, columns) matrix is scaled by sqrt(max(1, rows / columns)).
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for (rows, columns), parameters in by_shape.items():
                updates = [self._with_momentum(p, group["momentum"]) for p in parameters]
                orthogonal = orthogonalise(torch.stack(updates))
                scale = max(1, rows / columns) ** 0.5
                torch._foreach_add_(parameters, list(orthogonal.unbind()), alpha=-group["lr"] * scale)

    def _with_momentum(self, parameter: Tensor, momentum: float) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        buffer: Tensor = state["momentum"]
        buffer.lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(buffer, momentum)


def orthogonalise(matrices: Tensor) -> Tensor:
    """Push the singular values of matrices (n, rows, columns) towards 1, by five Newton-Schulz steps."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(_STEPS):
        gram = x @ x.transpose(1, 2)
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return x.transpose(1, 2) if tall else x
