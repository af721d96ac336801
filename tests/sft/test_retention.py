"""Continual training measures what it costs on the older data, once before and once after."""

import re
from pathlib import Path
from typing import Any

import pytest

from common.artifacts import read_manifest
from common.chat import FAMILIES, load_tokenizer
from common.console import console
from sft.checkpoints import last_checkpoint
from sft.choices import Choices
from sft.config import TrainConfig
from sft.data.splits import load_splits
from sft.retention import _Retention, measure_retention
from sft.setup import make_trainer
from tests.sft.small_runs import rows, small_config, write_dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("retention")
    write_dataset(folder / "older", {"train": rows(20, 100), "val": rows(6, 200), "test": []})
    small_config(folder)
    return folder


def trainer_of(config: TrainConfig, work: Path) -> tuple[Any, dict[str, float]]:
    tokenizer = load_tokenizer(config.model, FAMILIES["tiny"])
    trainer = make_trainer(config, Choices(fused_lora=True), tokenizer, *load_splits(config, tokenizer), work)
    return trainer, measure_retention(trainer, config, tokenizer)


def loss_on(folder: Path, config: TrainConfig, trainer: Any) -> float:
    """The validation loss of `trainer`'s model on the older dataset, by a run that has it as its own."""
    tokenizer = load_tokenizer(config.model, FAMILIES["tiny"])
    older = config.model_copy(update={"dataset": folder / "older", "replay_dataset": None})
    trainer.eval_dataset = make_trainer(
        older, Choices(), tokenizer, *load_splits(older, tokenizer), folder / "other"
    ).eval_dataset
    return trainer.evaluate()["eval_loss"]


def test_the_loss_is_that_of_the_base_and_of_the_best_weights(folder: Path) -> None:
    config = small_config(folder, replay_dataset=folder / "older", max_steps=6)
    trainer, losses = trainer_of(config, folder / "work")
    assert losses == {}
    before = loss_on(folder, config, trainer)
    trainer, losses = trainer_of(config, folder / "work")
    with console.capture() as shown:
        trainer.train()
    assert losses["replay_base_eval_loss"] == pytest.approx(before, rel=1e-6)
    assert losses["replay_best_eval_loss"] == pytest.approx(loss_on(folder, config, trainer), rel=1e-6)
    line = (
        r"retention: validation loss on \S+older\s+\d+\.\d{3} before,\s+\d+\.\d{3} after\s+\([+-]\d+\.\d%\)"
    )
    assert re.search(line, shown.get())


def test_early_stopping_and_the_best_checkpoint_are_those_of_a_run_without_it(folder: Path) -> None:
    config = small_config(folder, replay_dataset=folder / "older", eval_steps=2, early_stopping_patience=1)
    watched, losses = trainer_of(config, folder / "watched")
    tokenizer = load_tokenizer(config.model, FAMILIES["tiny"])
    plain = make_trainer(
        config, Choices(fused_lora=True), tokenizer, *load_splits(config, tokenizer), folder / "plain"
    )
    for trainer in (watched, plain):
        trainer.train()
    assert losses and not any("eval_loss" in one for one in watched.state.log_history if "replay_loss" in one)
    evaluations = [
        [record["step"] for record in trainer.state.log_history if "eval_loss" in record]
        for trainer in (watched, plain)
    ]
    assert evaluations[0] == evaluations[1]
    assert Path(watched.state.best_model_checkpoint).name == Path(plain.state.best_model_checkpoint).name
    assert watched.state.best_metric == min(
        record["eval_loss"] for record in watched.state.log_history if "eval_loss" in record
    )


def test_a_resumed_run_keeps_the_first_figure(folder: Path) -> None:
    config = small_config(folder, replay_dataset=folder / "older", max_steps=6)
    work = folder / "killed"
    trainer, first = trainer_of(config, work)
    trainer.args.max_steps = 3
    trainer.train()
    trainer, resumed = trainer_of(config, work)
    trainer.train(resume_from_checkpoint=str(last_checkpoint(work)))
    assert resumed["replay_base_eval_loss"] == first["replay_base_eval_loss"]
    assert resumed["replay_best_eval_loss"] != first["replay_best_eval_loss"]


def test_without_replay_nothing_is_measured(folder: Path) -> None:
    trainer, losses = trainer_of(small_config(folder, max_steps=1), folder / "none")
    trainer.train()
    assert losses == {}


def test_the_command_writes_the_figures_to_the_manifest(folder: Path) -> None:
    from common.command import Options
    from sft.train import train

    config = small_config(folder, replay_dataset=folder / "older", output=folder / "continued")
    train(config, Options())
    counts = read_manifest(folder / "continued").counts
    assert counts["replay_base_eval_loss"] > 0 and counts["replay_best_eval_loss"] > 0
    assert counts["train"]["replay"]["examples"] == 4
    assert read_manifest(folder / "continued").inputs.keys() == {"dataset", "replay_dataset", "model"}


def test_what_the_new_dataset_trains_on_is_not_retained_but_learnt(tmp_path: Path) -> None:
    write_dataset(tmp_path / "older", {"train": rows(20, 100), "val": rows(6, 200), "test": []})
    write_dataset(tmp_path / "dataset", {"train": rows(40) + rows(4, 200), "val": rows(8, 40), "test": []})
    config = small_config(tmp_path, replay_dataset=tmp_path / "older")
    with console.capture() as shown:
        trainer, _ = trainer_of(config, tmp_path / "work")
    assert "4 rows of" in shown.get() and "are trained on, and left out" in " ".join(shown.get().split())
    retained = [one._dataset for one in trainer.callback_handler.callbacks if isinstance(one, _Retention)]
    assert [len(dataset) for dataset in retained] == [2]
