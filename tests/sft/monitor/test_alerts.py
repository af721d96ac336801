"""Alerts by step and by evaluation, and the stop before a NaN reaches the weights."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from common.errors import UserError
from sft.monitor import alerts as alerts_module
from sft.monitor.alerts import Alerts
from sft.trainer import StepRecord
from tests.sft.monitor.small_trainers import small_trainer

ROW_IDS = [f"row-{number}" for number in range(40)]


def watching() -> Alerts:
    alerts = Alerts()
    alerts.trainer = SimpleNamespace(row_ids=ROW_IDS, accelerator=SimpleNamespace(scaler=None))
    return alerts


def step(alerts: Alerts, number: int, losses: list[float], grad_norm: float | None = 1.0) -> None:
    """Two rows a micro-batch."""
    rows = [[2 * index, 2 * index + 1] for index in range(len(losses))]
    alerts.trainer.step = StepRecord(
        rows=rows, losses=[torch.tensor(loss) for loss in losses], grad_norm=grad_norm
    )
    arguments: Any = SimpleNamespace(run_name="adapter")
    alerts.on_pre_optimizer_step(arguments, TrainerState(global_step=number - 1), TrainerControl())


def evaluate(alerts: Alerts, history: list[dict[str, float]], max_steps: int) -> None:
    arguments: Any = SimpleNamespace(run_name="adapter")
    state = TrainerState(global_step=int(history[-1]["step"]), max_steps=max_steps, log_history=history)
    alerts.on_evaluate(arguments, state, TrainerControl())


def test_a_loss_spike_names_step_figures_and_rows_once(capsys: pytest.CaptureFixture[str]) -> None:
    alerts = watching()
    for number in range(1, 21):
        step(alerts, number, [1.0, 1.0 + number % 2 / 10])
    assert alerts.alerts == []
    for number, loss in ((21, 6.0), (22, 6.0), (23, 1.0), (24, 6.0)):
        step(alerts, number, [1.0, loss])
    assert [(alert["step"], alert["kind"]) for alert in alerts.alerts] == [
        (21, "loss_spike"),
        (24, "loss_spike"),
    ]
    assert alerts.alerts[0]["message"] == "loss 7.000, against a median of 2.050"
    assert alerts.alerts[0]["rows"] == ["row-0", "row-1", "row-2", "row-3"]
    first = capsys.readouterr().out.splitlines()[0]
    assert first == (
        "[ALERT] run_id=adapter step=21 loss_spike: loss 7.000, against a median of 2.050; "
        "rows row-0, row-1, row-2, row-3"
    )


def test_at_most_16_rows_are_named() -> None:
    alerts = watching()
    for number in range(1, 12):
        step(alerts, number, [0.2] * 10)
    step(alerts, 12, [0.9] * 10)
    assert alerts.alerts[0]["rows"] == ROW_IDS[:16]


def test_a_row_of_several_examples_is_named_once() -> None:
    alerts = watching()
    alerts.trainer.row_ids = ["same", "same", "other", "other"]
    for number in range(1, 12):
        step(alerts, number, [1.0, 1.0])
    step(alerts, 12, [9.0, 9.0])
    assert alerts.alerts[0]["rows"] == ["same", "other"]


def test_a_gradient_spike() -> None:
    alerts = watching()
    for number in range(1, 12):
        step(alerts, number, [1.0], grad_norm=0.5)
    step(alerts, 12, [1.0], grad_norm=1.4)
    assert alerts.alerts == []
    step(alerts, 13, [1.0], grad_norm=1.6)
    assert [alert["kind"] for alert in alerts.alerts] == ["gradient_spike"]
    assert alerts.alerts[0]["message"] == "gradient norm 1.600, against a median of 0.500"


def test_evaluations_alert_once_of_each_kind() -> None:
    alerts = watching()
    history = [
        {"step": 0, "eval_loss": 2.0},
        {"step": 10, "loss": 3.0},
        {"step": 10, "eval_loss": 2.1},
        {"step": 20, "loss": 2.5},
        {"step": 20, "eval_loss": 2.2},
        {"step": 30, "loss": 2.0},
        {"step": 30, "eval_loss": 2.3},
    ]
    evaluate(alerts, history[:1], 60)
    evaluate(alerts, history[:3], 60)
    assert alerts.alerts == []
    for end in (5, 7, 7):
        evaluate(alerts, history[:end], 60)
    assert [(a["step"], a["kind"]) for a in alerts.alerts] == [(20, "no_learning"), (30, "overfitting")]
    assert all("rows" not in alert for alert in alerts.alerts)


def test_float16_overflow_of_a_gradient_is_told_once_and_does_not_stop() -> None:
    alerts = watching()
    alerts.trainer.accelerator.scaler = object()
    step(alerts, 1, [1.0], grad_norm=float("inf"))
    step(alerts, 2, [1.0], grad_norm=float("nan"))
    assert [(alert["step"], alert["kind"]) for alert in alerts.alerts] == [(1, "nan")]
    with pytest.raises(UserError, match="the loss of a micro-batch is nan at step 3"):
        step(alerts, 3, [float("nan")])


@pytest.mark.parametrize(
    ("losses", "grad_norm", "what", "rows"),
    [
        ([1.0, float("nan"), 1.0], 1.0, "the loss of a micro-batch is nan at step 5", "row-2, row-3."),
        ([1.0, 1.0, float("inf")], 1.0, "the loss of a micro-batch is inf at step 5", "row-4, row-5."),
        ([1.0, 1.0], float("nan"), "the gradient norm is nan at step 5", "row-0, row-1, row-2, row-3."),
    ],
)
def test_what_is_not_finite_stops_the_run_and_names_the_rows(
    losses: list[float], grad_norm: float, what: str, rows: str
) -> None:
    alerts = watching()
    with pytest.raises(UserError) as caught:
        step(alerts, 5, losses, grad_norm)
    assert what in caught.value.what and f"its rows: {rows}" in caught.value.what
    assert "lower learning_rate" in caught.value.fix and "bfloat16 or float32" in caught.value.fix
    assert [(alert["step"], alert["kind"]) for alert in alerts.alerts] == [(5, "nan")]


def test_state_goes_through_json_and_on_as_if_nothing_had_happened() -> None:
    alerts = watching()
    for number in range(1, 13):
        step(alerts, number, [1.0 if number < 12 else 9.0])
    restored = Alerts.from_state(json.loads(json.dumps(alerts.state())))
    assert restored.alerts == alerts.alerts and len(restored.alerts) == 1
    restored.trainer = alerts.trainer
    step(restored, 13, [9.0])  # the same spike still
    step(restored, 14, [1.0])
    step(restored, 15, [9.0])
    assert [alert["step"] for alert in restored.alerts] == [12, 15]


def _spoil(trainer: Any, *, row: int, loss: bool) -> None:
    """Make loss or gradient NaN in the batch that has `row`."""
    compute, backward = trainer.compute_loss, trainer.accelerator.backward
    spoilt = {"now": False}

    def compute_loss(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        value = compute(model, inputs, *args, **kwargs)
        spoilt["now"] = model.training and row in trainer.step.rows[-1]
        return value * float("nan") if loss and spoilt["now"] else value

    def spoilt_backward(value: Any, **kwargs: Any) -> None:
        backward(value, **kwargs)
        if not loss and spoilt["now"]:
            next(p for p in trainer.model.parameters() if p.grad is not None).grad[0, 0] = float("inf")

    trainer.compute_loss = compute_loss
    trainer.accelerator.backward = spoilt_backward


def _is_finite(trainer: Any) -> bool:
    return all(bool(weight.isfinite().all()) for weight in trainer.model.parameters())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alerts")


@pytest.mark.slow
@pytest.mark.parametrize("loss", [True, False])
def test_the_weights_stay_whole_by_the_guard_alone(folder: Path, loss: bool) -> None:
    trainer = small_trainer(folder, max_steps=10)  # 10 steps of 4 see all of the 40 rows
    _spoil(trainer, row=17, loss=loss)
    with pytest.raises(UserError) as caught:
        trainer.train()
    assert "row-17" in caught.value.what and f"at step {trainer.state.global_step + 1};" in caught.value.what
    assert _is_finite(trainer) and trainer.alerts[-1]["kind"] == "nan"

    unguarded = small_trainer(folder, max_steps=10)
    unguarded.remove_callback(Alerts)
    _spoil(unguarded, row=17, loss=loss)
    unguarded.args.load_best_model_at_end = False
    unguarded.train()
    assert not _is_finite(unguarded), "without the guard the run goes on, with nothing left of the weights"


@pytest.mark.slow
def test_alerts_survive_a_resume_and_the_callback_knows_the_new_trainer(folder: Path) -> None:
    arguments: dict[str, Any] = {"max_steps": 6, "eval_steps": 3, "lr_scheduler_type": "constant_with_warmup"}
    before = small_trainer(folder, **arguments)
    before.alerts.append({"step": 1, "kind": "loss_spike", "message": "made up", "rows": ["row-1"]})
    before.train()

    after = small_trainer(folder, keep_work=True, **arguments)
    after.train(resume_from_checkpoint=str(folder / "work" / "checkpoint-3"))
    assert after.alerts == before.alerts and len(after.alerts) == 1
    watchers = [c for c in after.callback_handler.callbacks if isinstance(c, Alerts)]
    assert len(watchers) == 1 and watchers[0].trainer is after
    old = next(c for c in before.callback_handler.callbacks if isinstance(c, Alerts))
    assert watchers[0].losses == old.losses and len(old.losses) == 6


@pytest.mark.slow
def test_arguments_name_the_run(folder: Path) -> None:
    arguments: TrainingArguments = small_trainer(folder).args
    assert arguments.run_name == "adapter" and arguments.report_to == []


def test_a_nan_of_another_process_names_its_rows_and_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = watching()
    monkeypatch.setenv("WORLD_SIZE", "2")
    alerts.trainer.summed_over_processes = lambda count: count + 1
    theirs = [(float("nan"), ["row-30", "row-31"])]
    monkeypatch.setattr(alerts_module, "gather_object", lambda ours: ours + theirs)
    with pytest.raises(UserError, match="loss of a micro-batch is nan at step 5; its rows: row-30, row-31"):
        step(alerts, 5, [1.0, 1.0], grad_norm=float("nan"))
    assert [alert["rows"] for alert in alerts.alerts] == [["row-30", "row-31"]]
    alerts.trainer.summed_over_processes = lambda count: count
    step(alerts, 5, [1.0, 1.0])
