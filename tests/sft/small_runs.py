"""Datasets and configs for training runs of seconds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.artifacts import Recipe, writing
from common.config import Config
from sft.config import TrainConfig
from tests.common.small_models import write_model

COLOURS = ("red", "blue", "green", "brown", "violet", "golden", "silver")


class _Dataset(Config):
    output: Path


def rows(count: int, start: int = 0) -> list[dict[str, object]]:
    """Conversations of one to three exchanges, of different lengths."""
    result: list[dict[str, object]] = []
    for index in range(start, start + count):
        messages = [{"role": "system", "content": "You help."}]
        for turn in range(index % 3 + 1):
            colour = COLOURS[(index + turn) % len(COLOURS)]
            messages.append({"role": "user", "content": f"Where is my {colour} box number {index}?"})
            messages.append(
                {"role": "assistant", "content": f"Your {colour} box is on its way. " * (turn + 1)}
            )
        result.append({"id": f"row-{index}", "messages": messages, "meta": {}})
    return result


def write_dataset(
    folder: Path, splits: Mapping[str, Sequence[object]] | None = None, kind: str = "dataset"
) -> Path:
    """Write a dataset artifact."""
    splits = splits or {"train": rows(40), "val": rows(8, 40), "test": rows(8, 48)}
    recipe = Recipe.of(kind, _Dataset(output=folder), inputs={}, code=())
    with writing(folder, recipe) as temporary:
        for name, split in splits.items():
            (temporary / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in split))
        recipe.counts["assistant_turns"] = {name: len(split) for name, split in splits.items()}
    return folder


def small_config(folder: Path, **changes: object) -> TrainConfig:
    """A run of a random model on `folder`/dataset; model and dataset are written if they are missing."""
    if not (folder / "base").exists():
        write_model(folder / "base")
    if not (folder / "dataset").exists():
        write_dataset(folder / "dataset")
    settings: dict[str, object] = {
        "model": str(folder / "base"),
        "chat_template": "tiny",
        "dataset": folder / "dataset",
        "output": folder / "adapter",
        "max_length": 256,
        "max_steps": 6,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 2,
        "learning_rate": 1e-2,
        "lora": {"r": 4, "alpha": 8},
        "eval_steps": 3,
        "logging_steps": 2,
        "gradient_checkpointing": False,
        "report_to": [],
        "register_as": None,
    }
    return TrainConfig.model_validate(settings | changes)
