"""Write the result of a run: weights, tokenizer and template, model card, arguments, metadata, curves."""

import json
import platform
import shutil
from collections import Counter
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
from sft.monitor.curves import write_csv, write_health_csv, write_png
from sft.release.card import CARD, adapter_card

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
    result = _result(trainer.state)
    alerts = getattr(trainer, "alerts", [])
    recipe.counts |= result | {"alerts": dict(Counter(alert["kind"] for alert in alerts))}
    with writing(config.output, recipe) as folder:
        for file in best_weights.iterdir():
            if file.suffix in (".json", ".safetensors"):  # not PEFT's empty model card
                shutil.move(file, folder / file.name)
        if config.lora is not None:
            _name_base(folder / "adapter_config.json", config.model)
        tokenizer.save_pretrained(folder)
        (folder / "config.yaml").write_text(dump(config))
        (folder / CARD).write_text(adapter_card(config, choices, recipe.counts, recipe.inputs))
        _write_json(folder / "training_args.json", config.model_dump(mode="json") | asdict(choices) | result)
        _write_json(folder / "metadata.json", _metadata(config, recipe))
        if alerts:
            (folder / "alerts.jsonl").write_text("".join(json.dumps(alert) + "\n" for alert in alerts))
        write_csv(history, folder / "loss.csv")
        write_health_csv(history, folder / "health.csv")
        write_png(history, folder / "loss.png")
    before, best = result["base_eval_loss"], result["best_eval_loss"]
    say(
        f"wrote {config.output}: validation loss {before:.3f} before, {best:.3f} after "
        f"({1 - best / before:.0%} lower), {result['steps']} steps"
    )
    if best >= before:
        warn("training has not lowered the validation loss: try another learning_rate, or look at the data")


def _result(state: Any) -> dict[str, Any]:
    before = next(record["eval_loss"] for record in state.log_history if "eval_loss" in record)
    # The best is a checkpoint's: the base's own loss at step 0 does not count.
    return {"base_eval_loss": before, "best_eval_loss": state.best_metric, "steps": state.global_step}


def _name_base(path: Path, base: str) -> None:
    """Say which base the adapter is for, as the config names it, and sort what PEFT writes in random order.

    Unsloth names its own 4-bit copy of the base, which no engine is to serve the adapter on.
    """
    settings = json.loads(path.read_text()) | {"base_model_name_or_path": base}
    targets = {name: sorted(v) for name, v in settings.items() if "target_" in name and isinstance(v, list)}
    _write_json(path, settings | targets)


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
