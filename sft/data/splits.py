"""The training and validation examples of a run, with what was lost on the way said aloud."""

from typing import TYPE_CHECKING

from common.chat import FAMILIES, Family
from common.console import say, warn
from common.errors import UserError
from sft.config import TrainConfig
from sft.data.examples import Examples, load_examples
from sft.data.replay import add_replay

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_splits(config: TrainConfig, tokenizer: "PreTrainedTokenizerBase") -> tuple[Examples, Examples]:
    """Return (training, validation); the latter sorted by length, so that its batches have little padding.

    With `replay_dataset`, some of its training examples are among the former.

    Raises:
        UserError: no example of a split can be trained on.
    """
    family = FAMILIES[config.chat_template]
    splits = []
    for split in ("train", "val"):
        examples = load_examples(config.dataset / f"{split}.jsonl", tokenizer, family, config.max_length)
        if not len(examples):
            raise UserError(
                f"no example of the {split} split can be trained on: {dict(examples.dropped)}",
                "raise max_length, or look at the dataset",
            )
        _say(split, examples, config.max_length, family)
        splits.append(examples)
    if config.replay_dataset is not None:
        add_replay(config, tokenizer, splits[0])
    return splits[0], splits[1].sorted_by_length()


def _say(split: str, examples: Examples, max_length: int, family: Family) -> None:
    summary = examples.summary()
    share = summary["supervised_tokens"] / summary["tokens"]
    say(
        f"  {split:<16} {len(examples):,} examples, {summary['tokens']:,} tokens ({share:.0%} trained), "
        f"length {', '.join(f'{q} {n}' for q, n in summary['length'].items())}"
    )
    if examples.cut:
        how = "cut between turns into" if family.prefix_stable else "without their oldest turns in"
        warn(
            f"{examples.cut:,} conversations of {split} are over max_length={max_length}: "
            f"{how} {examples.parts:,} examples"
        )
    if examples.truncated:
        warn(
            f"{examples.truncated:,} examples of {split} hold one exchange, which is over "
            f"max_length={max_length}: its end is lost, {examples.lost:,} tokens that would be trained"
        )
    if examples.dropped:
        warn(f"rows of {split} dropped: {dict(examples.dropped)}")
