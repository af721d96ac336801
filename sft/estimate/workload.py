"""How much a run computes on: token counts of its dataset, all of it or a sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.chat import FAMILIES, load_tokenizer
from common.models import source
from sft.config import TrainConfig
from sft.data.examples import Examples, read_rows, render_rows
from sft.estimate.schedule import Schedule, rows_of, schedule

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SAMPLE = 1000
"""Rows of a split that an estimate tokenizes at most: a second or two."""


@dataclass(frozen=True)
class Workload:
    """Tokens of a whole run.

    `attended` is the mean number of tokens in the example that a token is in; `longest` the longest example,
    None when only a sample was read.
    """

    training_tokens: float
    validation_tokens: float
    trained_share: float
    attended: float
    longest: int | None
    schedule: Schedule

    @property
    def is_sample(self) -> bool:
        """True when not every row was read."""
        return self.longest is None


def workload(
    config: TrainConfig,
    training: Examples,
    validation: Examples,
    *,
    packing: bool,
    read: tuple[float, float] = (1.0, 1.0),
) -> Workload:
    """The workload of rendered examples; `read` are the shares of both splits that they stand for."""
    lengths = training.lengths
    tokens = sum(lengths)
    times = 1 / (1 - config.replay_share) if config.replay_dataset and not training.replay else 1.0
    plan = schedule(config, round(rows_of(config, lengths, packing) / read[0] * times))
    tokens_of_epoch = tokens / read[0] * times
    return Workload(
        training_tokens=tokens_of_epoch * plan.epochs,
        validation_tokens=sum(validation.lengths) / read[1] * plan.evaluations,
        trained_share=training.supervised / tokens,
        attended=_attended(lengths),
        longest=max(lengths) if read[0] == 1 else None,
        schedule=plan,
    )


def read_workload(config: TrainConfig) -> Workload | None:
    """Read at most SAMPLE rows of each split; None when there is nothing to learn from in them.

    Raises:
        OSError: a split is missing.
        UserError: the tokenizer can't be loaded.
    """
    tokenizer = load_tokenizer(source(config.model), FAMILIES[config.chat_template])
    training, read = _sample(config, "train", tokenizer)
    validation, read_too = _sample(config, "val", tokenizer)
    if not len(training):
        return None
    return workload(config, training, validation, packing=config.packing is True, read=(read, read_too))


def _sample(config: TrainConfig, split: str, tokenizer: "PreTrainedTokenizerBase") -> tuple[Examples, float]:
    """Examples of rows spread evenly over the split, and the share of its rows that were read."""
    rows = read_rows(config.dataset / f"{split}.jsonl")
    sample = rows[:: -(-len(rows) // SAMPLE) or 1]
    family = FAMILIES[config.chat_template]
    examples = render_rows(sample, tokenizer, family, config.max_length, what=f"{split} (estimate)")
    return examples, len(sample) / max(len(rows), 1)


def _attended(lengths: Sequence[int]) -> float:
    return sum(length * length for length in lengths) / sum(lengths)
