"""MLflow and TensorBoard: what arrives there, one run after a kill, and named errors."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.artifacts import Recipe
from common.config import dump
from common.errors import UserError
from sft.checkpoints import last_checkpoint
from sft.config import INCIDENTAL, TrainConfig
from sft.monitor import tracking
from tests.sft.small_runs import small_config


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What tracking sets is undone: other tests have other folders."""
    names = ("MLFLOW_RUN_ID", "MLFLOW_MAX_LOG_PARAMS", "MLFLOW_TRACKING_URI", "TENSORBOARD_LOGGING_DIR")
    for name in (*names, "WANDB_PROJECT", "WANDB_RUN_ID", "WANDB_RESUME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield
    if "mlflow" in sys.modules:
        sys.modules["mlflow"].set_tracking_uri(None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracking")
    (folder / "work").mkdir()
    small_config(folder)  # model and dataset
    return folder


def settings(folder: Path, **changes: Any) -> TrainConfig:
    uri = f"sqlite:///{folder}/tracking/mlflow.db"  # a folder that is not there yet
    return small_config(folder, **({"report_to": ["mlflow"], "tracking_uri": uri} | changes))


def recipe_of(config: TrainConfig) -> Recipe:
    recipe = Recipe.of(
        "adapter", config, inputs={"dataset": config.dataset}, code=("sft/config.py",), incidental=INCIDENTAL
    )
    recipe.counts |= {"base_eval_loss": 9.5, "best_eval_loss": 5.25}
    return recipe


def runs(config: TrainConfig, experiment: str = "sft") -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(config.tracking_uri, config.tracking_uri)
    return client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


def run_tracked(config: TrainConfig, work: Path, error: BaseException | None = None) -> None:
    with tracking.tracking(config, recipe_of(config), work):
        if error is not None:
            raise error


def test_a_missing_package_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    present, missing = (settings(folder, report_to=["tensorboard", name]) for name in ("mlflow", "wandb"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "wandb" else object())
    tracking.check(present)
    with pytest.raises(UserError) as caught:
        tracking.check(missing)
    assert "report_to names wandb, which is not installed" in str(caught.value)
    assert "pip install wandb" in caught.value.fix


def test_a_missing_package_is_told_before_torch_is_loaded(folder: Path) -> None:
    code = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'wandb' else find(name, *rest)\n"
        "from common.command import parse\n"
        "from sft import train\n"
        "from common.errors import UserError\n"
        "try:\n"
        "    train.train(*parse(train.TrainConfig, '', sys.argv[1:]))\n"
        "except UserError as error:\n"
        "    print(error, sorted({'torch', 'mlflow', 'transformers'} & set(sys.modules)))\n"
    )
    path = folder / "wandb.yaml"
    path.write_text(dump(settings(folder, report_to=["wandb"])))
    shown = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True).stdout
    assert "report_to names wandb" in shown and shown.endswith("[]\n")


def test_a_server_that_can_not_be_reached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(UserError) as caught:
        run_tracked(settings(folder, tracking_uri="http://127.0.0.1:9"), folder / "work")
    assert "the run can't be tracked" in caught.value.what and "http://127.0.0.1:9" in caught.value.what
    assert "report_to=[]" in caught.value.fix


def test_a_database_that_can_not_be_written(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(UserError, match="the run can't be tracked"):
        run_tracked(settings(folder, tracking_uri=f"sqlite:///{folder}/file/mlflow.db"), folder / "work")


def test_without_trackers_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    run_tracked(small_config(folder), tmp_path)
    assert list(tmp_path.iterdir()) == [] and tracking.callbacks(small_config(folder)) == []


def test_only_the_main_process_reports(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    config = settings(folder, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    run_tracked(config, tmp_path)
    assert list(tmp_path.iterdir()) == [] and tracking.callbacks(config) == []


def test_settings_become_dotted_params() -> None:
    nested = {"lora": {"r": 4, "target_modules": ["q_proj"]}, "model": "base", "qat": None, "packing": True}
    assert tracking.flat(nested) == {
        "lora.r": "4",
        "lora.target_modules": '["q_proj"]',
        "model": "base",
        "qat": "null",
        "packing": "true",
    }


def test_w_and_b_gets_one_run_too(folder: Path, tmp_path: Path) -> None:
    config = settings(folder, report_to=["wandb"], register_as="customer-support")
    run_tracked(config, tmp_path)
    first = os.environ["WANDB_RUN_ID"]
    run_tracked(config, tmp_path)
    assert os.environ["WANDB_RUN_ID"] == first and len(first) == 8
    assert (os.environ["WANDB_PROJECT"], os.environ["WANDB_RESUME"]) == ("customer-support", "allow")


@pytest.mark.slow
def test_a_failed_run_is_marked_and_goes_on_as_the_same_one(folder: Path, tmp_path: Path) -> None:
    config = settings(folder, tracking_uri=f"sqlite:///{tmp_path}/runs/mlflow.db", register_as="support")
    work = tmp_path / "work"
    work.mkdir()
    for error in (UserError("a micro-batch is nan"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            run_tracked(config, work, error)
        assert [run.info.status for run in runs(config, "support")] == ["FAILED"]
    config.output.mkdir()
    (config.output / "loss.csv").write_text("step\n")
    run_tracked(config, work)
    (run,) = runs(config, "support")
    assert (run.info.status, run.info.run_name) == ("FINISHED", "adapter")
    assert run.data.metrics == {"base_eval_loss": 9.5, "best_eval_loss": 5.25}
    stored = tmp_path / "runs" / "mlflow-artifacts" / run.info.run_id / "artifacts"
    assert [path.name for path in stored.iterdir()] == ["loss.csv"], "beside the database, as the registry's"
    (config.output / "loss.csv").unlink()
    config.output.rmdir()

    fresh = tmp_path / "another"
    fresh.mkdir()
    run_tracked(config, fresh)
    assert len(runs(config, "support")) == 2, "other work is another run"


@pytest.mark.slow
def test_a_deleted_run_is_replaced_by_a_new_one(folder: Path, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    config = settings(folder, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    run_tracked(config, tmp_path)
    (first,) = runs(config)
    MlflowClient(config.tracking_uri).delete_run(first.info.run_id)
    run_tracked(config, tmp_path)
    (second,) = runs(config)
    assert second.info.run_id != first.info.run_id and second.info.status == "FINISHED"


@pytest.mark.slow
def test_a_tracker_that_fails_at_the_end_costs_no_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = settings(folder, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    recipe = recipe_of(config)
    with tracking.tracking(config, recipe, tmp_path):
        recipe.counts["best_eval_loss"] = "no number"
    assert "warning: MLflow has not got all of this run: " in capsys.readouterr().out


@pytest.mark.slow
def test_a_killed_and_resumed_run_is_one_run_in_mlflow_and_in_tensorboard(folder: Path) -> None:
    config = settings(folder, report_to=["mlflow", "tensorboard"], max_steps=20, output=folder / "killed")
    path = folder / "killed.yaml"
    path.write_text(dump(config))
    command = [sys.executable, "-m", "sft.train", str(path)]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    _wait_for_checkpoint(folder / ".work", killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    (run,) = runs(config)
    assert run.info.status == "RUNNING"
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "resuming from checkpoint-" in done.stdout, done.stdout + done.stderr

    (run,) = runs(config)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "killed")
    _check_mlflow(config, run)
    _check_tensorboard(folder)


def _wait_for_checkpoint(work: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(3600):
        found = [last_checkpoint(path) for path in work.glob("killed-*")]
        if any(checkpoint and int(checkpoint.name.split("-")[1]) >= 6 for checkpoint in found):
            return
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    raise AssertionError("no checkpoint within three minutes")


LOGGED = sorted({*range(2, 21, 2), *range(3, 21, 3)})
EVALUATED = [0, *range(3, 19, 3), 20]


def _check_mlflow(config: TrainConfig, run: Any) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(config.tracking_uri)

    def steps(metric: str) -> list[int]:
        return sorted({one.step for one in client.get_metric_history(run.info.run_id, metric)})

    for metric in ("loss", "grad_norm", "update_norm/all", "update_norm/blocks_1", "tok_per_s", "memory_gib"):
        assert steps(metric) == LOGGED, metric
    assert steps("eval_loss") == EVALUATED
    assert run.data.metrics["best_eval_loss"] < 0.9 * run.data.metrics["base_eval_loss"]
    assert run.data.params["lora.r"] == "4" and run.data.params["learning_rate"] == "0.01"
    assert not set(run.data.params) & {"report_to", "tracking_uri", "output_dir"}
    assert set(run.data.tags) >= {"config_hash", "dataset_hash", "git_commit", "base_model"}
    assert run.data.tags["base_model"] == config.model
    names = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert names >= {"loss.csv", "health.csv", "loss.png"}


def _check_tensorboard(folder: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (events,) = (folder / "killed.tensorboard").iterdir()
    accumulator = EventAccumulator(str(events)).Reload()
    assert sorted({scalar.step for scalar in accumulator.Scalars("train/loss")}) == LOGGED
    assert sorted({scalar.step for scalar in accumulator.Scalars("eval/loss")}) == EVALUATED
    assert "train/update_norm/blocks_0" in accumulator.Tags()["scalars"]


@pytest.mark.slow
def test_a_run_that_begins_anew_starts_its_tensorboard_anew(folder: Path, tmp_path: Path) -> None:
    config = settings(folder, report_to=["tensorboard"], output=tmp_path / "adapter")
    events = tracking.tensorboard_folder(config, tmp_path / "adapter-0123")
    assert events == tmp_path / "adapter.tensorboard" / "adapter-0123"
    events.mkdir(parents=True)
    (events / "events.out").write_text("old")
    other = events.with_name("adapter-4567")
    other.mkdir()
    run_tracked(config, tmp_path / "adapter-0123")
    assert not events.exists() and other.exists(), "other runs of the output stay"
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == str(events)
