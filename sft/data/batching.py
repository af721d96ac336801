"""Batches of like length: less padding, in an order that a resumed run repeats exactly."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

from sft.data.examples import IGNORE

_WINDOW = 50
"""Effective batches that are sorted together. More would pad less and shuffle less."""


class LengthGroupedSampler(Sampler[int]):
    """Yield indices in shuffled effective batches whose examples have about the same length.

    The order depends on `seed` and the epoch alone, not on torch's global generator: after a kill the same
    epoch gives the same batches, so that the batches already trained on can be skipped.
    """

    def __init__(self, lengths: Sequence[int], effective_batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.effective_batch_size = effective_batch_size
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer at the start of each epoch, and of a resumed one."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        rng = random.Random(f"{self.seed}:{self.epoch}")
        indices = list(range(len(self.lengths)))
        rng.shuffle(indices)
        size = self.effective_batch_size
        window = size * _WINDOW
        batches: list[list[int]] = []
        for start in range(0, len(indices), window):
            nearby = sorted(indices[start : start + window], key=lambda i: (self.lengths[i], i))
            batches += [nearby[at : at + size] for at in range(0, len(nearby), size)]
        # An incomplete batch stays last: inside, it would shift all later effective batches apart.
        incomplete = [batch for batch in batches if len(batch) < size]
        complete = [batch for batch in batches if len(batch) == size]
        rng.shuffle(complete)
        return iter([index for batch in complete + incomplete for index in batch])


class RightPaddingCollator:
    """Pad examples on the right to the longest of the batch.

    Returns int64 tensors of shape (batch, length): `input_ids`, `labels` (-100 on padding) and
    `attention_mask`; and `rows` (batch,), the examples' numbers in their split.
    """

    def __init__(self, pad_token_id: int) -> None:
        self.pad_token_id = pad_token_id

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        shape = (len(examples), max(len(example["input_ids"]) for example in examples))
        batch = {
            "input_ids": torch.full(shape, self.pad_token_id),
            "labels": torch.full(shape, IGNORE),
            "attention_mask": torch.zeros(shape, dtype=torch.int64),
            "rows": torch.tensor([example["row"] for example in examples]),
        }
        for row, example in enumerate(examples):
            length = len(example["input_ids"])
            batch["input_ids"][row, :length] = torch.tensor(example["input_ids"])
            batch["labels"][row, :length] = torch.tensor(example["labels"])
            batch["attention_mask"][row, :length] = 1
        return batch
