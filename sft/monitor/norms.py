"""How large the trained weights are, and how far an optimizer step moves them, in all and by blocks."""

import re
from collections.abc import Iterable

import torch

_BLOCK = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.")
_PARTS = 4
_LARGEST_COPY = 2 * 2**30
"""Bytes of weights that are copied for the difference; more would crowd the GPU."""


class WeightNorms:
    """L2 norms of `model`'s trained weights and of one step's update.

    `figures` are `weight_norm/all`, `update_norm/all`, `update_ratio` (update / weight) and, for each quarter
    of the blocks and for what lies in none, `weight_norm/blocks_0-7` ... `update_norm/rest`. For weights of
    over 2 GiB the updates are left out: they take a copy of the weights.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
        blocks = [block for name, _ in model.named_parameters() if (block := _block(name)) is not None]
        self._weights = [weight for _, weight in trained]
        self._groups = group_names([_block(name) for name, _ in trained], max(blocks, default=-1) + 1)
        size = sum(weight.numel() * weight.element_size() for weight in self._weights)
        self.copies = size <= _LARGEST_COPY
        self._before: list[torch.Tensor] = []

    def remember(self) -> None:
        """Copy the weights as they are before a step."""
        if self.copies:
            self._before = [weight.detach().clone() for weight in self._weights]

    def figures(self) -> dict[str, float]:
        """Norms after the step; the copy is given up."""
        squares = {"weight_norm": _squares(weight.detach() for weight in self._weights)}
        if self._before:
            pairs = zip(self._weights, self._before, strict=True)
            squares["update_norm"] = _squares(weight.detach() - before for weight, before in pairs)
            self._before = []
        result: dict[str, float] = {}
        for name, values in squares.items():
            result[f"{name}/all"] = sum(values) ** 0.5
            for group in dict.fromkeys(self._groups):
                part = [value for value, own in zip(values, self._groups, strict=True) if own == group]
                result[f"{name}/{group}"] = sum(part) ** 0.5
        if "update_norm/all" in result and result["weight_norm/all"] > 0:
            result["update_ratio"] = result["update_norm/all"] / result["weight_norm/all"]
        return result


def group_names(blocks: list[int | None], count: int) -> list[str]:
    """The group of each weight, from its block of so many (`count`); None is outside of blocks."""
    parts = min(_PARTS, count)

    def name(block: int | None) -> str:
        if block is None:
            return "rest"
        own = [other for other in range(count) if other * parts // count == block * parts // count]
        return f"blocks_{own[0]}-{own[-1]}" if len(own) > 1 else f"blocks_{block}"

    return [name(block) for block in blocks]


def _block(name: str) -> int | None:
    match = _BLOCK.search(name)
    return int(match.group(1)) if match else None


def _squares(tensors: Iterable[torch.Tensor]) -> list[float]:
    """Squared norms in float32; read from the device at once."""
    norms = [torch.linalg.vector_norm(tensor, dtype=torch.float32) for tensor in tensors]
    devices = {norm.device for norm in norms}
    if len(devices) > 1:  # a model spread over several GPUs by its device map
        norms = [norm.cpu() for norm in norms]
    return [value**2 for value in torch.stack(norms).tolist()]
