"""Health figures of a real run: what they are, and that only logged steps pay for them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import TrainerCallback

from sft.monitor import health
from sft.monitor.health import gpu_utilisation, will_be_logged
from sft.monitor.norms import WeightNorms
from tests.sft.monitor.small_trainers import small_trainer


class Weights(TrainerCallback):
    """The trained weights as one vector, before and after each step."""

    def __init__(self) -> None:
        self.before: list[torch.Tensor] = []
        self.after: list[torch.Tensor] = []

    def on_pre_optimizer_step(self, *args: Any, model: Any, **kwargs: Any) -> None:
        self.before.append(_vector(model))

    def on_optimizer_step(self, *args: Any, model: Any, **kwargs: Any) -> None:
        self.after.append(_vector(model))


def _vector(model: Any) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in model.parameters() if p.requires_grad])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("health")


@pytest.mark.slow
def test_records_hold_the_figures_of_their_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[int] = []
    remember = WeightNorms.remember

    def counted(norms: WeightNorms) -> None:
        copies.append(trainer.state.global_step + 1)
        remember(norms)

    monkeypatch.setattr(WeightNorms, "remember", counted)
    trainer = small_trainer(folder, max_steps=8, logging_steps=5, eval_steps=4)
    weights = Weights()
    trainer.add_callback(weights)
    trainer.train()
    records = {record["step"]: record for record in trainer.state.log_history if "loss" in record}
    assert list(records) == copies == [4, 5, 8], "of logged steps: every fifth, and those of a checkpoint"
    for step, record in records.items():
        before, after = weights.before[step - 1], weights.after[step - 1]
        assert record["weight_norm/all"] == pytest.approx(float(after.norm()), rel=1e-5)
        assert record["update_norm/all"] == pytest.approx(float((after - before).norm()), rel=1e-5)
        assert record["update_ratio"] == pytest.approx(record["update_norm/all"] / record["weight_norm/all"])
        parts = [record[f"update_norm/blocks_{block}"] ** 2 for block in (0, 1)]
        assert sum(parts) == pytest.approx(record["update_norm/all"] ** 2)
        assert record["tok_per_s"] > record["supervised_tok_per_s"] > 0
        assert 0.05 < record["memory_gib"] < 64 and record["loader_ms"] > 0
        assert "gpu_utilisation" not in record, "there is no GPU, and nothing is made up"


@pytest.mark.slow
def test_speed_is_of_the_steps_since_the_last_record(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that goes one second a look, each step takes one second and no time to load."""
    ticks = iter(range(10_000))
    monkeypatch.setattr(health, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))
    trainer = small_trainer(folder, max_steps=4, logging_steps=2, eval_steps=4)
    seen: list[int] = []

    class Counts(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            trainer.step.loader_seconds = 0.0
            seen.append(trainer.tokens_seen)

    # Ahead of Health, whose speed is to be of the step alone.
    trainer.callback_handler.callbacks.insert(0, Counts())
    trainer.train()
    speeds = [record["tok_per_s"] for record in trainer.state.log_history if "loss" in record]
    assert speeds == [seen[1] / 2, (seen[3] - seen[1]) / 2]


@pytest.mark.slow
def test_sharded_weights_have_no_norms(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.ranks, "is_sharded", lambda: True)
    trainer = small_trainer(folder, max_steps=2)
    trainer.train()
    record = next(record for record in trainer.state.log_history if "loss" in record)
    assert "tok_per_s" in record and not any("norm/" in key for key in record)


@pytest.mark.parametrize(("step", "logged"), [(9, False), (10, True), (12, True), (36, True), (37, True)])
def test_logging_steps_checkpoints_and_the_last_step_are_logged(step: int, logged: bool) -> None:
    state: Any = SimpleNamespace(global_step=step - 1, logging_steps=10, save_steps=12, max_steps=37)
    assert will_be_logged(state) is logged


def test_no_figure_where_nvml_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu_utilisation() is None or torch.cuda.is_available()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "utilization", lambda: 87)
    assert gpu_utilisation() == 87.0

    def missing() -> int:
        raise ModuleNotFoundError("nvidia-ml-py does not seem to be installed")

    monkeypatch.setattr(torch.cuda, "utilization", missing)
    assert gpu_utilisation() is None
