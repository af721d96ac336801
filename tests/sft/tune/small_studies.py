"""Searches whose trials take no time: their losses follow from the values alone."""

import json
from collections.abc import Callable, Mapping
from math import log10
from pathlib import Path
from typing import Any

import yaml
from optuna import Study
from sqlalchemy import create_engine, text

from common.config import dump, load
from sft.config import TrainConfig
from sft.tune.config import TuneConfig
from sft.tune.storage import open_study
from sft.tune.trial import Evaluation
from tests.sft.small_runs import small_config

SPACE: Mapping[str, Any] = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "lora.r": [2, 4, 8],
}
EVERY = (2, 4, 6)
"""Steps of a scripted trial's evaluations."""


def write_tune_config(folder: Path, *, base: Mapping[str, Any] | None = None, **changes: Any) -> Path:
    """Write `sft.yaml` with the changes of `base`, and `tune.yaml`; the model is no real one."""
    (folder / "base").mkdir(parents=True, exist_ok=True)
    if not (folder / "base" / "config.json").exists():
        (folder / "base" / "config.json").write_text("{}")
    (folder / "sft.yaml").write_text(dump(small_config(folder, **(base or {}))))
    settings: dict[str, Any] = {
        "config": str(folder / "sft.yaml"),
        "output": str(folder / "study"),
        "storage": f"sqlite:///{folder}/optuna.db",
        "trials": 4,
        "space": dict(SPACE),
    }
    path = folder / "tune.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(settings | changes)), sort_keys=False))
    return path


def tune_config(folder: Path, **changes: Any) -> TuneConfig:
    return load(TuneConfig, write_tune_config(folder, **changes))


def study_of(config: TuneConfig) -> Study:
    """The study as another worker would see it."""
    return open_study(config, {})


def scripted(config: TrainConfig, evaluated: Callable[[Evaluation], None]) -> None:
    """The best learning rate is 1e-2, and the higher rank is a little better; it falls with every step."""
    assert config.lora is not None
    loss = 2 + abs(log10(config.learning_rate) + 2) - config.lora.r / 100
    for step in EVERY:
        evaluated(Evaluation(step, EVERY[-1], loss + 1 / step))


def stop_heartbeats(config: TuneConfig) -> None:
    """As if the last sign of life of every trial was long ago."""
    with create_engine(config.storage).begin() as connection:
        connection.execute(text("UPDATE trial_heartbeats SET heartbeat = '2001-01-01 00:00:00'"))
