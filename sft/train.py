"""Fine-tune a chat model on a dataset with LoRA or QLoRA.

    python -m sft.train configs/llama31_8b.yaml
    python -m sft.train configs/llama31_8b.yaml lora.r=32 learning_rate=1e-4 --dry-run

Reads a dataset/ artifact, writes an adapter/ artifact. Killed at any moment, the same command goes on from
the last checkpoint. Loss is taken on assistant turns only.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from common.artifacts import Recipe, is_up_to_date
from common.chat import FAMILIES, load_tokenizer
from common.command import Options, run
from common.config import dump
from common.console import console, quiet_libraries, say, warn
from common.errors import UserError
from common.models import local_folder, source
from common.work import finish, working
from sft import preflight
from sft.choices import resolve
from sft.config import TrainConfig
from sft.examples import Examples, load_examples

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CODE = ("common/chat", "common/models.py", "sft/*.py")


def train(config: TrainConfig, options: Options) -> None:
    """Check, prepare, train, save."""
    preflight.check(config)
    recipe = None if options.dry_run else _recipe(config)
    if recipe and not options.force and is_up_to_date(config.output, recipe):
        say(f"{config.output} is up to date")
        return

    choices = resolve(config)
    tokenizer = load_tokenizer(source(config.model), FAMILIES[config.chat_template])
    training, validation = _load_splits(config, tokenizer)
    if recipe is None:
        _show_plan(config, tokenizer, training)
        return

    quiet_libraries()  # before peft is imported: bitsandbytes speaks up then
    from sft.adapter import write_adapter
    from sft.setup import make_trainer

    with working(config.output, recipe, fresh=options.force, protect=True) as work:
        trainer = make_trainer(config, choices, tokenizer, training, validation, work)
        checkpoint = last_checkpoint(work)
        if checkpoint is not None:
            say(f"resuming from {checkpoint.name}")
        trainer.args.eval_on_start = checkpoint is None  # the base's own validation loss, once
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        recipe.counts = {"train": training.summary(), "val": validation.summary()}
        write_adapter(config, choices, recipe, trainer, tokenizer)
        finish(work)


def _recipe(config: TrainConfig) -> Recipe:
    inputs: dict[str, Path] = {"dataset": config.dataset}
    folder = local_folder(config.model)
    if folder is not None:
        inputs["model"] = folder
    return Recipe.of("adapter", config, inputs=inputs, code=_CODE, volatile=("metadata.json",))


def _load_splits(config: TrainConfig, tokenizer: "PreTrainedTokenizerBase") -> tuple[Examples, Examples]:
    family = FAMILIES[config.chat_template]
    splits = []
    for split in ("train", "val"):
        examples = load_examples(config.dataset / f"{split}.jsonl", tokenizer, family, config.max_length)
        if not len(examples):
            raise UserError(
                f"no example of the {split} split can be trained on: {dict(examples.dropped)}",
                "raise max_length, or look at the dataset",
            )
        summary = examples.summary()
        share = summary["supervised_tokens"] / summary["tokens"]
        say(
            f"  {split:<16} {len(examples):,} examples, {summary['tokens']:,} tokens ({share:.0%} trained), "
            f"length {', '.join(f'{q} {n}' for q, n in summary['length'].items())}"
        )
        if examples.truncated:
            warn(f"{examples.truncated} examples of {split} were cut to max_length={config.max_length}")
        if examples.dropped:
            warn(f"rows of {split} dropped: {dict(examples.dropped)}")
        splits.append(examples)
    return splits[0], splits[1].sorted_by_length()


def _show_plan(config: TrainConfig, tokenizer: "PreTrainedTokenizerBase", training: Examples) -> None:
    from common.chat import Rendered, trained_view

    say("\nresolved config:\n" + dump(config))
    first = Rendered(training.input_ids[0], [label >= 0 for label in training.labels[0]])
    say(f"example {training.row_ids[0]}, trained tokens in green:")
    console.print(trained_view(tokenizer, first))
    batch = config.per_device_train_batch_size * config.gradient_accumulation_steps
    steps = config.max_steps or int(-(-len(training) // batch) * config.num_train_epochs)
    say(f"\nwould train {steps:,} steps of {batch} examples and write {config.output}")


def last_checkpoint(work: Path) -> Path | None:
    """The newest complete checkpoint: `trainer_state.json` is written last, so a killed save lacks it."""
    found = [path.parent for path in work.glob("checkpoint-*/trainer_state.json") if _is_json(path)]
    return max(found, key=lambda path: int(path.name.split("-")[1]), default=None)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    run(train, TrainConfig, __doc__)
