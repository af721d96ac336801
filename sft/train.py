"""Fine-tune a chat model on a dataset with LoRA or QLoRA.

    python -m sft.train configs/llama31_8b.yaml
    python -m sft.train configs/llama31_8b.yaml lora.r=32 learning_rate=1e-4 --dry-run
    python -m sft.train configs/llama31_8b.yaml --estimate H100
    accelerate launch --config_file configs/accelerate/ddp.yaml -m sft.train configs/llama31_8b.yaml

Reads a dataset/ artifact, writes an adapter/ artifact. Killed at any moment, the same command goes on from
the last checkpoint. Loss is taken on assistant turns only.
"""

from pathlib import Path

from common.artifacts import Recipe, is_up_to_date
from common.chat import FAMILIES, load_tokenizer
from common.command import Options, run
from common.console import quiet_libraries, say
from common.models import local_folder, source
from common.work import finish
from sft import preflight, ranks
from sft.checkpoints import check_unchanged, last_checkpoint
from sft.choices import resolve
from sft.config import BATCH_SHAPE, INCIDENTAL, TrainConfig
from sft.data.splits import load_splits
from sft.monitor import tracking
from sft.release.registration import VOLATILE, register

_CODE = ("common/chat", "common/models.py", "sft/*.py", "sft/backends", "sft/cpu", "sft/data")


def train(config: TrainConfig, options: Options) -> None:
    """Check, prepare, train, save."""
    ranks.quiet_others()
    if options.estimate is not None:
        from sft.estimate.report import show_estimate

        show_estimate(config, options.estimate)
        return
    preflight.check(config)
    tracking.check(config)
    recipe = None if options.dry_run else _recipe(config)
    if recipe and not options.force and is_up_to_date(config.output, recipe):
        say(f"{config.output} is up to date")
        register(config)  # a kill may have come between
        return

    choices = resolve(config)
    if choices.backend == "unsloth":
        from sft.backends import unsloth

        unsloth.import_first()
    quiet_libraries()  # before transformers and peft import bitsandbytes and torchao, which speak up then
    preflight.check_disk(config)
    tokenizer = load_tokenizer(source(config.model), FAMILIES[config.chat_template])
    training, validation = load_splits(config, tokenizer)
    if recipe is None:
        from sft.plan import show_plan

        show_plan(config, choices, tokenizer, training, validation)
        return

    from sft.out_of_memory import memory_errors
    from sft.release.adapter import write_adapter
    from sft.retention import measure_retention
    from sft.setup import make_trainer

    with (
        memory_errors(),
        ranks.working_together(config.output, recipe, device=choices.device, fresh=options.force) as work,
        tracking.tracking(config, recipe, work),
    ):
        if ranks.is_main():
            check_unchanged(work, choices)
        trainer = make_trainer(config, choices, tokenizer, training, validation, work)
        retention = measure_retention(trainer, config, tokenizer)
        checkpoint = last_checkpoint(work)
        if checkpoint is not None:
            say(f"resuming from {checkpoint.name}")
        trainer.args.eval_on_start = checkpoint is None  # the base's own validation loss, once
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        recipe.counts = {"train": training.summary(), "val": validation.summary()} | retention
        if config.lora is None:
            trainer.round_weights(choices.dtype)
        trainer.save_model(str(work / "best"))  # all processes: a sharded model is gathered
        if ranks.is_main():
            write_adapter(config, choices, recipe, trainer, tokenizer, work / "best")
            finish(work)
    register(config)


def _recipe(config: TrainConfig) -> Recipe:
    """Of a batch the size decides, not the shape: out of memory, a run may go on in smaller pieces."""
    inputs: dict[str, Path] = {"dataset": config.dataset}
    for name in ("adapter", "replay_dataset"):
        if (path := getattr(config, name)) is not None:
            inputs[name] = path
    if (folder := local_folder(config.model)) is not None:
        inputs["model"] = folder
    recipe = Recipe.of(
        "adapter",
        config,
        inputs=inputs,
        code=_CODE,
        volatile=VOLATILE,
        incidental=(*INCIDENTAL, *BATCH_SHAPE),
    )
    recipe.config["effective_batch_size"] = config.effective_batch_size
    return recipe


if __name__ == "__main__":
    run(train, TrainConfig, __doc__, estimates=True)
