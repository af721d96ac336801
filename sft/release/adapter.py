"""Write the adapter artifact: weights, tokenizer and template, arguments, metadata, curves."""

import json
import platform
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.artifacts import Recipe, writing
from common.config import dump
from common.console import say, warn
from common.provenance import git_commit
from sft.choices import Choices
from sft.config import TrainConfig
from sft.monitor.curves import write_csv, write_png

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from sft.trainer import SupportTrainer


def write_adapter(
    config: TrainConfig,
    choices: Choices,
    recipe: Recipe,
    trainer: "SupportTrainer",
    tokenizer: "PreTrainedTokenizerBase",
    best_weights: Path,
) -> None:
    """Write the best checkpoint, saved in `best_weights`, to `config.output`, whole or not at all."""
    history = trainer.state.log_history
    before = next(record["eval_loss"] for record in history if "eval_loss" in record)
    best = trainer.state.best_metric  # of a checkpoint: the base's own loss at step 0 does not count
    result = {"base_eval_loss": before, "best_eval_loss": best, "steps": trainer.state.global_step}
    recipe.counts |= result
    with writing(config.output, recipe) as folder:
        for file in best_weights.iterdir():
            if file.suffix in (".json", ".safetensors"):  # not PEFT's empty model card
                shutil.move(file, folder / file.name)
        tokenizer.save_pretrained(folder)
        (folder / "config.yaml").write_text(dump(config))
        _write_json(folder / "training_args.json", config.model_dump(mode="json") | asdict(choices) | result)
        _write_json(folder / "metadata.json", _metadata(config, recipe))
        write_csv(history, folder / "loss.csv")
        write_png(history, folder / "loss.png")
    say(
        f"wrote {config.output}: validation loss {before:.3f} before, {best:.3f} after "
        f"({1 - best / before:.0%} lower), {result['steps']} steps"
    )
    if best >= before:
        warn("training has not lowered the validation loss: try another learning_rate, or look at the data")


def _metadata(config: TrainConfig, recipe: Recipe) -> dict[str, Any]:
    return {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": git_commit(),
        "dataset_hash": recipe.inputs["dataset"],
        "base_model": config.model,
        "chat_template": config.chat_template,
        "description": config.description,
        "machine": f"{platform.machine()}, {platform.system()}",
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
