"""Real processes: workers that share a study, workers that are killed, and trials that really train."""

import csv
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState

from common.artifacts import read_manifest, verify
from common.config import load
from sft.config import TrainConfig
from sft.tune.config import TuneConfig
from sft.tune.search import search
from sft.tune.storage import finished
from sft.tune.trial import Evaluation, TrialFailed, _train, _why, train_in_child
from tests.common.small_models import write_model
from tests.sft.tune.small_studies import stop_heartbeats, study_of, tune_config, write_tune_config

pytestmark = pytest.mark.slow


def scripted_worker(config: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.sft.tune.scripted_worker", str(config), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    for _ in range(2400):
        if what():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("not within two minutes")


def test_two_workers_on_one_database_share_the_trials(tmp_path: Path) -> None:
    path = write_tune_config(tmp_path, trials=9)
    workers = [scripted_worker(path, 0.5) for _ in range(2)]
    outputs = [worker.communicate(timeout=300) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    ran = [output.count("[TRIAL]") for output, _ in outputs]
    assert sum(ran) == 9 and min(ran) >= 1, "each ran some, and none twice"
    assert sum("wrote" in output for output, _ in outputs) == 1
    config = load(TuneConfig, path)
    trials = finished(study_of(config))
    assert len(trials) == 9
    assert len({str(trial.params) for trial in trials}) == 9, "equal seeds do not make equal trials"
    assert verify(config.output) == []


def test_after_a_kill_the_same_command_goes_on_and_tries_the_trial_again(tmp_path: Path) -> None:
    path = write_tune_config(tmp_path, trials=3)
    config = load(TuneConfig, path)
    killed = scripted_worker(path, 600)
    wait_for(lambda: (tmp_path / "optuna.db").exists() and _values_drawn(config) == 2, killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    [lost] = study_of(config).trials
    assert lost.state == TrialState.RUNNING
    stop_heartbeats(config)
    output, errors = scripted_worker(path, 0).communicate(timeout=300)
    assert output.count("[TRIAL]") == 3, errors
    trials = study_of(config).trials
    assert trials[0].state == TrialState.FAIL and trials[1].params == lost.params
    assert read_manifest(config.output).counts["failed"] == 0


def _values_drawn(config: TuneConfig) -> int:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import OperationalError

    try:
        with create_engine(config.storage).connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM trial_params")).scalar() or 0)
    except OperationalError:  # the tables are being made
        return 0


def test_the_real_command_killed_in_its_first_trial_and_run_again(tmp_path: Path) -> None:
    write_model(tmp_path / "base")
    base = {
        "learning_rate": 1e-3,
        "max_steps": 600,
        "report_to": ["mlflow"],
        "tracking_uri": "sqlite:///no.db",
    }
    path = write_tune_config(tmp_path, base=base, trials=2, max_steps=4)
    config = load(TuneConfig, path)
    command = [sys.executable, "-m", "sft.tune", str(path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    killed = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: len(_training(killed.pid)) > 0, killed)
    [child] = _training(killed.pid)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    for _ in range(600):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the trial's process outlived its parent")
    stop_heartbeats(config)

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[TRIAL]") == 2 and "[TRAIN]" not in done.stdout, done.stdout
    assert done.stdout.endswith(f"train the best: python -m sft.train {tmp_path}/study/best.yaml\n")
    with (config.output / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["number"], row["state"], row["steps"]) for row in rows] == [
        ("1", "complete", "4"),
        ("2", "complete", "4"),
    ]
    best = load(TrainConfig, config.output / "best.yaml")
    assert min(rows, key=lambda row: float(row["loss"]))["learning_rate"] == str(best.learning_rate)
    assert (best.max_steps, best.report_to) == (600, ("mlflow",))
    assert not (tmp_path / "no.db").exists() and not (tmp_path / "adapter").exists()
    assert verify(config.output) == []


def _training(parent: int) -> list[int]:
    """Children that are trials: multiprocessing has a helper process of its own beside them."""
    found = []
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        line = Path(f"/proc/{child}/cmdline")
        if line.exists() and b"spawn_main" in line.read_bytes():
            found.append(int(child))
    return found


def test_a_bad_learning_rate_is_really_stopped_early(tmp_path: Path) -> None:
    import torch

    torch.set_num_threads(1)
    write_model(tmp_path / "base")
    space = {"learning_rate": [1e-2, 1e-9], "lora.r": [2, 4]}
    config = tune_config(tmp_path, space=space, trials=5, max_steps=8, base={"eval_steps": 2})
    study = study_of(config)
    for rate in (1e-2, 1e-2, 1e-2, 1e-2, 1e-9):
        study.enqueue_trial({"learning_rate": rate, "lora.r": 4})

    def train_here(settings: TrainConfig, evaluated: Callable[[Evaluation], None]) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path) as work:
            try:
                _train(settings, Path(work), evaluated)
            finally:
                assert os.listdir(work) == [], "no checkpoint, no artifact"

    search(config, study, train_here)
    good, bad = study.trials[:4], study.trials[4]
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 4 + [TrialState.PRUNED]
    assert all(list(trial.intermediate_values) == [25, 50, 75, 100] for trial in good)
    assert list(bad.intermediate_values) == [25] and bad.user_attrs["steps"] == 2
    assert len({trial.value for trial in good}) == 1, "equal values train alike"


def test_a_nan_fails_the_trial_with_its_reason(tmp_path: Path) -> None:
    write_model(tmp_path / "base")
    config = tune_config(tmp_path)
    settings = load(TrainConfig, config.config, ["learning_rate=1e30", "max_steps=4", "eval_steps=1"])
    with pytest.raises(TrialFailed, match=r"is (nan|inf)"):
        train_in_child(settings, lambda evaluation: None)


def test_an_error_of_the_program_is_shown_and_fails_its_trial(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_model(tmp_path / "base")
    config = tune_config(tmp_path)
    (tmp_path / "dataset" / "train.jsonl").write_text("no JSON\n")
    capfd.readouterr()
    with pytest.raises(TrialFailed, match=r"^JSONDecodeError: Expecting value: line 1"):
        train_in_child(load(TrainConfig, config.config), lambda evaluation: None)
    shown = capfd.readouterr()
    assert shown.err.startswith("Traceback") and "Warning" not in shown.err and shown.out == ""


def test_a_killed_process_fails_its_trial_alone(tmp_path: Path) -> None:
    config = tune_config(tmp_path)

    def kill() -> None:
        while not (children := multiprocessing.active_children()):
            time.sleep(0.01)
        os.kill(children[0].pid or 0, signal.SIGKILL)

    threading.Thread(target=kill).start()
    with pytest.raises(TrialFailed, match=r"killed \(SIGKILL\): most often, the machine was out of memory"):
        train_in_child(load(TrainConfig, config.config), lambda evaluation: None)
    assert _why(-signal.SIGSEGV) == "its process was ended by SIGSEGV"
    assert _why(3) == "its process ended with exit code 3"
