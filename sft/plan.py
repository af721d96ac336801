"""What `--dry-run` shows: the resolved config, an example with its trained tokens, the steps."""

from typing import TYPE_CHECKING

from common.chat import Rendered, trained_view
from common.config import dump
from common.console import console, say
from sft.config import TrainConfig
from sft.data.examples import Examples

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def show_plan(config: TrainConfig, tokenizer: "PreTrainedTokenizerBase", training: Examples) -> None:
    """Print what a run would do."""
    say("\nresolved config:\n" + dump(config))
    first = Rendered(training.input_ids[0], [label >= 0 for label in training.labels[0]])
    say(f"example {training.row_ids[0]}, trained tokens in green:")
    console.print(trained_view(tokenizer, first))
    batch = config.per_device_train_batch_size * config.gradient_accumulation_steps
    steps = config.max_steps or int(-(-len(training) // batch) * config.num_train_epochs)
    say(f"\nwould train {steps:,} steps of {batch} examples and write {config.output}")
