"""Stages on Slurm, with a cluster of one machine that is made of scripts."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.artifacts import read_manifest
from common.errors import UserError
from data_pipeline.engine import run_stage
from data_pipeline.executors.config import SlurmConfig
from tests.data_pipeline.executors import fake_slurm
from tests.data_pipeline.executors.driving import (
    Build,
    all_text,
    dataset_bytes,
    kill_at_random_moments,
    tickets,
)
from tests.data_pipeline.executors.steps import SECRET, Fail, Write, runs

SLURM = {"type": "slurm", "partition": "cpu", "time": "1:00:00", "poll_seconds": 0.05}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in fake_slurm.install(tmp_path / "slurm").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("data_pipeline.executors.slurm._SETTLE_SECONDS", 0.2)
    return tmp_path / "slurm"


Run = Callable[..., None]


@pytest.fixture
def run(tmp_path: Path, cluster: Path) -> Run:
    """Runs a stage with a step that writes to `tmp_path/written`."""
    (tmp_path / "written").mkdir()

    def run_on_cluster(*steps: Any, tasks: int = 3, **settings: Any) -> None:
        config = SlurmConfig.model_validate({**SLURM, **settings})
        run_stage("some", [Write(tmp_path / "written"), *steps], tasks, config, tmp_path)

    return run_on_cluster


@pytest.mark.slow
def test_a_stage_is_an_array_whose_script_asks_for_what_the_config_says(
    tmp_path: Path, cluster: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    run(workers=2, qos="low", account="support", cpus_per_task=4, mem_per_cpu_gb=3)
    (job,) = fake_slurm.jobs(cluster)
    asked = fake_slurm.options(job)
    name = asked.pop("job-name")
    assert name.startswith("some-") and len(name) == len("some-") + 12
    assert asked == {
        "partition": "cpu",
        "time": "1:00:00",
        "qos": "low",
        "account": "support",
        "cpus-per-task": "4",
        "mem-per-cpu": "3G",
        "nodes": "1",
        "array": "0-2%2",
        "chdir": os.getcwd(),
        "output": f"{tmp_path}/logs/some/slurm_logs/%A_%a.out",
        "error": f"{tmp_path}/logs/some/slurm_logs/%A_%a.out",
        "requeue": "",
    }
    lines = [line.strip() for line in (job / "script").read_text().splitlines()]
    assert "export LOGURU_DIAGNOSE=NO" in lines
    assert f'export PATH={Path(sys.executable).parent}:"$PATH"' in lines
    assert runs(tmp_path / "written") == {0: 1, 1: 1, 2: 1}
    captured = capfd.readouterr()
    assert captured.out == f"[SLURM] stage=some job={job.name} tasks=3\n"
    assert captured.err == ""


@pytest.mark.slow
def test_what_is_completed_is_not_submitted_again(tmp_path: Path, cluster: Path, run: Run) -> None:
    with pytest.raises(UserError) as error:
        run(Fail("unexpected"))
    assert "1 of 3 tasks of stage some were not completed by Slurm job 101 (COMPLETED 2, FAILED 1)" in str(
        error.value
    )
    assert f"{tmp_path}/logs/some/logs/task_00001.log" in str(error.value)
    logs = all_text([*(tmp_path / "logs").rglob("*.log"), *(tmp_path / "logs").rglob("*.out")])
    assert "ValueError at tests/" in logs
    assert SECRET not in logs
    run()
    run()
    assert runs(tmp_path / "written") == {0: 1, 1: 2, 2: 1}
    assert [fake_slurm.options(job)["array"] for job in fake_slurm.jobs(cluster)] == ["0-2", "0-0"]


@pytest.mark.slow
def test_without_accounting_a_failure_is_told_all_the_same(cluster: Path, run: Run) -> None:
    (cluster / "no_accounts").touch()
    with pytest.raises(UserError, match=r"1 of 1 tasks .* by Slurm job 101 \(no accounting\)"):
        run(Fail("user", rank=0), tasks=1)


@pytest.mark.slow
def test_a_stage_with_many_tasks_is_several_arrays_one_after_the_other(
    tmp_path: Path, cluster: Path, run: Run
) -> None:
    run(tasks=5, max_array_size=2)
    assert runs(tmp_path / "written") == dict.fromkeys(range(5), 1)
    calls = [fake_slurm.arguments(job)[:-1] for job in fake_slurm.jobs(cluster)]
    assert calls == [
        ["--export=ALL,RUN_OFFSET=0"],
        ["--export=ALL,RUN_OFFSET=1", "--dependency=afterany:101"],
        ["--export=ALL,RUN_OFFSET=2", "--dependency=afterany:102"],
    ]


@pytest.mark.slow
def test_setup_takes_the_place_of_this_python(tmp_path: Path, cluster: Path, run: Run) -> None:
    run(tasks=1, setup=f"export PATH={Path(sys.executable).parent}:/usr/bin:/bin:{cluster}; echo ready")
    (job,) = fake_slurm.jobs(cluster)
    assert '"$PATH"' not in (job / "script").read_text()
    assert "ready" in all_text(list((tmp_path / "logs").rglob("*.out")))


def test_a_job_that_slurm_refuses_is_told(cluster: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    (cluster / "refuse").touch()
    with pytest.raises(UserError, match="sbatch refused stage some with status 1"):
        run()
    assert "invalid partition" in capfd.readouterr().err


def test_without_slurm_the_fix_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        UserError, match="no 'sbatch' on this machine\n  fix: start the command on a login node"
    ):
        run()


@pytest.mark.slow
def test_a_busy_controller_is_asked_again(tmp_path: Path, cluster: Path, run: Run) -> None:
    (cluster / "busy").touch()
    run(tasks=1)
    assert not (cluster / "busy").exists()
    assert runs(tmp_path / "written") == {0: 1}


@pytest.mark.slow
def test_a_dataset_is_the_same_as_a_local_one_and_a_job_is_found_again_after_a_kill(
    tmp_path: Path, cluster: Path
) -> None:
    source = tickets(tmp_path / "in", files=3)
    killed = Build(tmp_path / "killed", source, SLURM)
    kill_at_random_moments(killed, moments=2, seed=5)
    ended = killed.run()
    assert ended.returncode == 0, ended.stderr
    names = [fake_slurm.options(job)["job-name"].split("-")[0] for job in fake_slurm.jobs(cluster)]
    assert names == ["clean", "level1", "score", "select", "write"], "a job was submitted again while it ran"
    whole = Build(tmp_path / "whole", source, {"type": "local"}).finish()
    assert read_manifest(tmp_path / "killed").content_hash == whole.content_hash
    assert dataset_bytes(tmp_path / "killed") == dataset_bytes(tmp_path / "whole")
