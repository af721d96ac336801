"""What a search may be told, and what it answers to mistakes."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from common.config import load
from common.errors import ConfigError
from sft.config import TrainConfig
from sft.tune.config import TuneConfig
from sft.tune.space import KEYS, NOT_SEARCHED, overrides, suggest
from tests.sft.tune.small_studies import SPACE, study_of, tune_config, write_tune_config

ROOT = Path(__file__).parents[3]


def mistakes(folder: Path, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        tune_config(folder, **changes)
    return [line.split("  ")[-1].strip() for line in str(caught.value).splitlines()[1:]]


@pytest.mark.parametrize("path", ["configs/tune.yaml", "configs/quickstart/tune.yaml"])
def test_shipped_searches_are_of_shipped_training_configs(path: str) -> None:
    config = load(TuneConfig, ROOT / path, [f"config={ROOT / 'configs/llama31_8b.yaml'}"])
    assert "learning_rate" in config.space
    plain = load(TuneConfig, ROOT / path, check_paths=False)
    load(TrainConfig, ROOT / plain.config, check_paths=False)


def test_all_mistakes_in_names_and_forms_are_told_at_once(tmp_path: Path) -> None:
    space = {
        "learning_rat": [1e-3, 1e-2],
        "seed": [1, 2],
        "lora": [1, 2],
        "lora.dropout": {"low": 0.3, "high": 0.1},
        "lora.r": 5,
        "weight_decay": {"low": 0, "high": 1, "log": True},
        "warmup_ratio": [0.1],
    }
    assert mistakes(tmp_path, space=space, trials=0, storage="optuna.db") == [
        "storage: should be an SQLAlchemy URL, e.g. sqlite:///out/optuna.db",
        "trials: input should be greater than or equal to 1, not 0",
        "space.learning_rat: unknown key of sft.train's config. Did you mean 'learning_rate'?",
        "space.seed: can't be searched: a lucky seed is no better recipe",
        "space.lora: is a group of keys: name one of them, e.g. lora.r",
        "space.lora.dropout: low has to be below high, and 0.3 is not below 0.1",
        "space.lora.r: give {low: ..., high: ..., log: true} or a list of choices, not 5",
        "space.weight_decay: log needs a low above 0",
        "space.warmup_ratio: list should have at least 2 items after validation, not 1, not [0.1]",
    ]


def test_values_that_their_key_does_not_take_are_told_at_once(tmp_path: Path) -> None:
    space = {
        "learning_rate": {"low": -0.001, "high": 1},
        "lora.dropout": [0, 1],
        "lora.r": {"low": 1.5, "high": 4},
        "lr_scheduler_type": {"low": 1, "high": 2},
        "gradient_accumulation_steps": [1, "a"],
        "weight_decay": [0, "0", 0.1],
    }
    assert mistakes(tmp_path, space=space) == [
        "space.learning_rate: input should be greater than 0, not -0.001",
        "space.lora.dropout: input should be less than 1, not 1",
        "space.lora.r: input should be a valid integer, got a number with a fractional part, not 1.5",
        "space.lr_scheduler_type: is no number: give a list of choices",
        "space.gradient_accumulation_steps: input should be a valid integer, unable to parse string as an "
        "integer, not 'a'",
        "space.weight_decay: a choice is given twice",
    ]


def test_what_makes_no_search_is_refused_with_its_reason(tmp_path: Path) -> None:
    assert set(NOT_SEARCHED) < set(KEYS)
    refused = {
        "model",
        "dataset",
        "output",
        "seed",
        "sampler_seed",
        "max_length",
        "max_steps",
        "tracking_uri",
    }
    assert refused <= set(NOT_SEARCHED)
    [told] = mistakes(tmp_path, space={"dataset": ["a", "b"]})
    assert (
        told
        == "space.dataset: can't be searched: what is trained, and on what, is for the training config to say"
    )


def test_a_database_in_memory_is_shared_with_nobody(tmp_path: Path) -> None:
    [told] = mistakes(tmp_path, storage="sqlite:///:memory:")
    assert "a database in memory is no worker's but this one's" in told


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    config = tune_config(tmp_path, storage="postgresql+psycopg://me:se@cret@host/optuna")
    assert config.shown_storage == "postgresql+psycopg://me:***@host/optuna"
    assert tune_config(tmp_path, storage="sqlite:///a.db").shown_storage == "sqlite:///a.db"


def test_choices_have_the_type_of_their_key(tmp_path: Path) -> None:
    """YAML reads 1e-4 as text."""
    path = write_tune_config(tmp_path)
    config = load(TuneConfig, path, ["space.learning_rate=[1e-4, 5e-4]"])
    assert config.space["learning_rate"] == [0.0001, 0.0005]


def test_numbers_are_drawn_as_their_key_takes_them(tmp_path: Path) -> None:
    space = {
        "weight_decay": {"low": 0, "high": 1},
        "lora.r": {"low": 2, "high": 64, "log": True},
        "lora.target_modules": [["q_proj"], ["q_proj", "v_proj"]],
        "lr_scheduler_type": ["cosine", "linear"],
    }
    config = tune_config(tmp_path, space=space)
    trial = study_of(config).ask()
    suggest(trial, config.space)
    assert trial.distributions == {
        "weight_decay": FloatDistribution(0, 1),
        "lora.r": IntDistribution(2, 64, log=True),
        "lora.target_modules": CategoricalDistribution(['["q_proj"]', '["q_proj", "v_proj"]']),
        "lr_scheduler_type": CategoricalDistribution(["cosine", "linear"]),
    }
    base = load(TrainConfig, config.config, overrides(config.space, trial.params))
    assert base.lora is not None
    assert list(base.lora.target_modules) in ([["q_proj"], ["q_proj", "v_proj"]])
    assert (base.lora.r, base.weight_decay) == (trial.params["lora.r"], trial.params["weight_decay"])


@pytest.mark.parametrize("value", [1.234567890123e-05, 1e-9, 0.1])
def test_a_drawn_value_reaches_the_training_config_to_the_last_digit(tmp_path: Path, value: float) -> None:
    config = tune_config(tmp_path)
    drawn = overrides(config.space, {"learning_rate": value, "lora.r": 4})
    assert load(TrainConfig, config.config, drawn).learning_rate == value


def command(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sft.tune", str(path), *arguments], capture_output=True, text=True
    )


@pytest.mark.slow
def test_a_wrong_key_is_refused_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    path = write_tune_config(tmp_path, space={"learning_rat": [1, 2]})
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = command(path)
    taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert done.returncode == 2 and "Did you mean 'learning_rate'?" in done.stderr
    assert taken < 1, "in under a second of CPU time, whatever else runs here"
    heavy = ("torch", "optuna", "mlflow", "trl")
    code = f"import sys, sft.tune.__main__; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


@pytest.mark.slow
def test_mistakes_in_the_training_config_are_told_as_its_own(tmp_path: Path) -> None:
    path = write_tune_config(tmp_path)
    with (tmp_path / "sft.yaml").open("a") as file:
        file.write("lerning_rate: 1\n")
    done = command(path)
    assert done.returncode == 2
    assert (
        f"{tmp_path / 'sft.yaml'}: 1 error" in done.stderr and "Did you mean 'learning_rate'?" in done.stderr
    )


@pytest.mark.slow
def test_dry_run_shows_the_space_the_trials_and_the_storage_and_makes_none(tmp_path: Path) -> None:
    done = command(write_tune_config(tmp_path, max_steps=50), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert (
        "0.0001 to 0.1" in done.stdout and "2, 4, 8" in done.stdout and set(SPACE) <= set(done.stdout.split())
    )
    assert (
        f"would run 4 trials of at most 50 steps of {tmp_path}/sft.yaml, as study 'sft' in "
        f"sqlite:///{tmp_path}/optuna.db, and write {tmp_path}/study\n"
    ) in done.stdout
    assert not (tmp_path / "optuna.db").exists()
