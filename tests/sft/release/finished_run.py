"""Folders as a finished run leaves them, without the training."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from common.artifacts import Recipe
from common.chat import FAMILIES, load_tokenizer
from sft.choices import Choices
from sft.config import INCIDENTAL, TrainConfig
from sft.release.adapter import write_adapter
from tests.common import small_models
from tests.sft.small_runs import small_config

SUMMARY = {
    "examples": 1200,
    "tokens": 90_000,
    "supervised_tokens": 36_000,
    "cut": 2,
    "truncated": 4,
    "dropped": {},
}
HISTORY = [
    {"step": 0, "eval_loss": 6.25},
    {"step": 2, "loss": 5.5, "learning_rate": 0.01, "grad_norm": 1.0, "epoch": 0.2},
    {"step": 3, "eval_loss": 3.18},
    {"step": 6, "eval_loss": 3.5},
]


def finish_run(folder: Path, *, alerts: list[dict[str, Any]] | None = None, **changes: Any) -> TrainConfig:
    """Write the output of a run in `folder`, of random weights, and return its config."""
    config = small_config(folder, **changes)
    best = folder / "best"
    if config.lora is None:
        small_models.write_model(best)
    else:
        small_models.write_adapter(best, folder / "base")
    tokenizer = load_tokenizer(config.model, FAMILIES[config.chat_template])
    recipe = Recipe.of(
        "adapter",
        config,
        inputs={"dataset": config.dataset},
        code=("sft/choices.py",),
        volatile=("metadata.json",),
        incidental=INCIDENTAL,
    )
    recipe.counts = {"train": SUMMARY | {"dropped": {"no_trained_token": 3, "empty_turn": 1}}, "val": SUMMARY}
    state = SimpleNamespace(log_history=HISTORY, best_metric=3.18, global_step=6)
    trainer: Any = SimpleNamespace(state=state)
    if alerts is not None:
        trainer.alerts = alerts
    write_adapter(config, Choices(), recipe, trainer, tokenizer, best)
    return config
