"""Trains the network on batches of about equal size, from short texts to long ones in random order."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data_pipeline.pii.ner.config import TrainNerConfig
from data_pipeline.pii.ner.features import Features
from data_pipeline.pii.ner.labelled import Labelled
from data_pipeline.pii.ner.network import Tagger
from data_pipeline.pii.ner.tags import encode
from data_pipeline.pii.ner.tokens import tokenize

_IGNORED = -100
_LONGEST = 160
"""Tokens of one text that are trained on; the rest of a longer one is left out."""
_HIDDEN_WORDS = 0.12
_HIDDEN_SPELLINGS = 0.06


@dataclass(frozen=True)
class Batch:
    """Tensors of b texts of at most n tokens."""

    words: Tensor
    pieces: Tensor
    context: Tensor
    mask: Tensor
    tags: Tensor


@dataclass(frozen=True)
class Example:
    """One text's rows in the network's tables (see `features.Ids`), and its tags."""

    words: NDArray[np.int64]
    pieces: NDArray[np.int64]
    context: NDArray[np.int64]
    tags: list[int]


def examples(texts: Sequence[Labelled], features: Features) -> list[Example]:
    """Features and tags of each text that has any token."""
    found = []
    for text in texts:
        tokens = tokenize(text.text)
        if not tokens.words:
            continue
        ids = features.of(tokens)
        tags = encode(tokens, text.spans)
        n = _LONGEST
        found.append(Example(ids.words[:n], ids.pieces[:n], ids.context[:n], tags[:n]))
    return found


def batches(rows: Sequence[Example], tokens: int, rng: random.Random) -> Iterator[Batch]:
    """Batches of texts of like length, at most `tokens` tokens each with padding, in random order."""
    order = sorted(range(len(rows)), key=lambda i: (len(rows[i].tags), rng.random()))
    groups: list[list[int]] = [[]]
    for i in order:
        if groups[-1] and (len(groups[-1]) + 1) * len(rows[i].tags) > tokens:
            groups.append([])
        groups[-1].append(i)
    rng.shuffle(groups)
    for group in groups:
        yield _batch([rows[i] for i in group])


def _batch(rows: Sequence[Example]) -> Batch:
    longest = max(len(row.tags) for row in rows)
    words = np.zeros((len(rows), longest, 9), dtype=np.int64)
    pieces = np.zeros((len(rows), longest, 2), dtype=np.int64)
    context = np.zeros((len(rows), longest, 2), dtype=np.int64)
    mask = np.zeros((len(rows), longest, 1), dtype=np.float32)
    tags = np.full((len(rows), longest), _IGNORED, dtype=np.int64)
    for i, row in enumerate(rows):
        n = len(row.tags)
        words[i, :n], pieces[i, :n], context[i, :n] = row.words, row.pieces, row.context
        mask[i, :n] = 1
        tags[i, :n] = row.tags
    return Batch(*map(torch.from_numpy, (words, pieces, context, mask, tags)))


def train(
    tagger: Tagger,
    passes: Callable[[int], Sequence[Example]],
    config: TrainNerConfig,
    report: Callable[[int, float, float], None],
) -> None:
    """Train in place.

    `passes(i)` gives the examples of pass i; `report(i, loss, seconds)` is called after it.
    """
    first = passes(0)
    rng = random.Random(config.seed)
    steps_a_pass = sum(1 for _ in batches(first, config.batch_tokens, random.Random(0)))
    optimizer = torch.optim.AdamW(tagger.parameters(), lr=config.learning_rate, weight_decay=0.01)
    total = int(steps_a_pass * config.passes * 1.02) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=total + 50, pct_start=0.1
    )
    loss_of = nn.CrossEntropyLoss(ignore_index=_IGNORED)
    for number in range(config.passes):
        started = time.perf_counter()
        rows = first if number == 0 else passes(number)
        losses = []
        for batch in batches(rows, config.batch_tokens, rng):
            loss = _step(tagger, batch, loss_of)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
            optimizer.step()
            if schedule.last_epoch < total + 49:
                schedule.step()
            losses.append(loss.item())
        report(number, sum(losses) / len(losses), time.perf_counter() - started)
    tagger.eval()


def _step(tagger: Tagger, batch: Batch, loss_of: nn.Module) -> Tensor:
    """The loss of a batch. Some words are hidden, so that the network learns from their neighbours too."""
    tagger.train()
    words = batch.words.clone()
    shape = words.shape[:2]
    hidden = torch.rand(shape) < _HIDDEN_WORDS
    words[..., 0] = words[..., 0].masked_fill(hidden, 0)
    unknown = torch.rand(shape) < _HIDDEN_SPELLINGS
    words[..., :7] = words[..., :7].masked_fill(unknown[..., None], 0)
    pieces = batch.pieces.masked_fill(unknown[..., None], 0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = tagger(words, pieces, batch.context, batch.mask)
    loss: Tensor = loss_of(scores.float().flatten(0, 1), batch.tags.flatten())
    return loss
