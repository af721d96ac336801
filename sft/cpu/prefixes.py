"""Sequences of a batch in one row, in which a beginning that several of them share stands only once."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from sft.data.examples import IGNORE

SHORTEST = 8
"""Tokens. To put a shared beginning in front of the rest costs a copy of queries, keys and values."""

Span = tuple[int, int]
"""Where tokens start in a row and where they end."""


@dataclass(frozen=True)
class Row:
    """`tokens` of all sequences, with their `targets` and `positions`, each int64 (1, row's length).

    `spans` has for each sequence the spans of the row it is made of, in its order.
    """

    tokens: Tensor
    targets: Tensor
    positions: Tensor
    spans: list[list[Span]]


def in_a_row(tokens: Sequence[Tensor], targets: Sequence[Tensor]) -> Row:
    """Lay sequences in a row. One that begins as an earlier one, with its system prompt say, goes on there.

    A causal model has the same states at a shared beginning, so it is exact. Only untrained positions are
    shared: the loss counts every target. LoRA's dropout draws one mask where it would draw several.
    """
    shared, earlier = _shared_beginnings(tokens, targets)
    row: list[tuple[Tensor, Tensor, Tensor]] = []
    spans: list[list[Span]] = []
    end = 0
    for number, (ids, wanted) in enumerate(zip(tokens, targets, strict=True)):
        start = shared[number] if shared[number] >= SHORTEST else 0
        row.append((ids[start:], wanted[start:], torch.arange(start, len(ids))))
        own = (end, end + len(ids) - start)
        spans.append([*(_first(spans[earlier[number]], start) if start else []), own])
        end = own[1]
    row_tokens, row_targets, positions = (torch.cat(parts)[None] for parts in zip(*row, strict=True))
    return Row(row_tokens, row_targets, positions, spans)


def _shared_beginnings(tokens: Sequence[Tensor], targets: Sequence[Tensor]) -> tuple[list[int], list[int]]:
    """For each sequence: how many tokens it shares at most with an earlier one, and with which."""
    ids = pad_sequence(list(tokens), batch_first=True)
    trained = pad_sequence(list(targets), batch_first=True) != IGNORE
    lengths = torch.tensor([len(sequence) for sequence in tokens])
    at = torch.arange(ids.shape[1])
    # The last token stays each sequence's own, so that none is empty.
    free = (~trained).cumprod(1).bool() & (at < lengths[:, None] - 1)
    equal = (ids[:, None] == ids) & free[:, None] & free
    counts = equal.cumprod(2).sum(2).tril(-1)
    longest, which = counts.max(1)
    return longest.tolist(), which.tolist()


def _first(spans: list[Span], count: int) -> list[Span]:
    """The spans of the first `count` tokens."""
    kept = []
    for start, end in spans:
        if count <= 0:
            break
        kept.append((start, min(end, start + count)))
        count -= end - start
    return kept
