"""Several examples in one row, each blind to the others: no padding, and full rows.

The examples of a row follow one another, and `position_ids` start anew at each. From these Transformers
tells the examples apart, where there is neither a mask nor a cache: flash attention takes them as sequences
of their own, other kernels get a block-diagonal mask. `tests/sft/test_equivalence.py` proves that losses are
those of the examples alone.
"""

import random
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch.utils.data import Sampler

from sft.data.batching import RightPaddingCollator
from sft.data.examples import IGNORE, Examples

_WINDOW = 5000
"""Examples that are packed together. More would fill rows better and mix lengths less."""


def pack(lengths: Sequence[int], max_length: int, seed: int) -> list[list[int]]:
    """Return packs of examples' numbers, each of at most `max_length` tokens; each example is in one.

    Best-fit decreasing (Johnson 1973) within windows of shuffled examples: the longest example first, each
    into the fullest pack that still has room for it. The packs depend on the arguments alone.

    Raises:
        ValueError: an example is longer than `max_length`.
    """
    if lengths and max(lengths) > max_length:
        raise ValueError(f"an example has {max(lengths)} tokens, more than max_length={max_length}")
    order = list(range(len(lengths)))
    random.Random(f"{seed}:packs").shuffle(order)
    windows = (order[start : start + _WINDOW] for start in range(0, len(order), _WINDOW))
    return [pack for window in windows for pack in _best_fit_decreasing(window, lengths, max_length)]


def _best_fit_decreasing(window: list[int], lengths: Sequence[int], max_length: int) -> list[list[int]]:
    packs: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (free tokens, number of the pack), the fullest first
    for index in sorted(window, key=lambda i: -lengths[i]):
        at = bisect_left(room, (lengths[index], 0))
        if at < len(room):
            free, number = room.pop(at)
        else:
            free, number = max_length, len(packs)
            packs.append([])
        packs[number].append(index)
        insort(room, (free - lengths[index], number))
    return packs


def packed_columns(examples: Examples, packs: list[list[int]]) -> dict[str, list[list[int]]]:
    """Return the columns of a training set with a row for each pack.

    `input_ids`, `labels` (-100 on the first token of each example, which nothing of its own precedes) and
    `position_ids` hold the examples of a row one after the other; `rows` their numbers.
    """
    labels = [[IGNORE, *own[1:]] for own in examples.labels]
    positions = [range(length) for length in examples.lengths]
    return {
        "input_ids": [_joined(examples.input_ids, one) for one in packs],
        "labels": [_joined(labels, one) for one in packs],
        "position_ids": [_joined(positions, one) for one in packs],
        "rows": packs,
    }


def _joined(values: Sequence[Sequence[int]], numbers: list[int]) -> list[int]:
    return list(chain.from_iterable(values[number] for number in numbers))


class ShuffledSampler(Sampler[int]):
    """Yield the numbers of `size` rows in an order that depends on `seed` and the epoch alone.

    So the same epoch gives the same batches again after a kill (see `LengthGroupedSampler`).
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return self.size

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer at the start of each epoch, and of a resumed one."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        order = list(range(self.size))
        random.Random(f"{self.seed}:{self.epoch}").shuffle(order)
        return iter(order)


class PackingCollator:
    """Make one row of the packs of a batch; examples that are not packed (validation) are padded.

    Returns int64 tensors of shape (1, tokens): `input_ids`, `labels` and `position_ids`; and `rows`
    (examples,), the examples' numbers. One row, because flash attention looks for packed examples in single
    rows only; and no mask, because Transformers would not look at the positions then.
    """

    def __init__(self, padding: RightPaddingCollator) -> None:
        self.padding = padding

    def __call__(self, batch: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        if "position_ids" not in batch[0]:
            return self.padding(batch)
        joined = {name: torch.tensor([value for row in batch for value in row[name]]) for name in batch[0]}
        return {name: values if name == "rows" else values[None] for name, values in joined.items()}
