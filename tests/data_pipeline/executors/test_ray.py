"""Stages on a real Ray of this machine."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from data_pipeline.engine import run_stage
from data_pipeline.executors.config import RayConfig
from data_pipeline.executors.failures import TaskFailed
from tests.data_pipeline.executors.driving import (
    Build,
    all_text,
    dataset_bytes,
    kill_at_random_moments,
    tickets,
)
from tests.data_pipeline.executors.steps import SECRET, Die, Fail, Write, runs

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.ray]

RAY = {"type": "ray", "workers": 2}
Run = Callable[..., None]


@pytest.fixture(scope="module")
def own_ray() -> Iterator[None]:
    """The first stage starts it, with room for two tasks."""
    yield
    ray.shutdown()


@pytest.fixture
def run(tmp_path: Path, own_ray: None) -> Run:
    """Runs a stage with a step that writes to `tmp_path/written`."""
    (tmp_path / "written").mkdir()

    def run_on_ray(*steps: Any, tasks: int = 3, **settings: Any) -> None:
        config = RayConfig.model_validate({**RAY, **settings})
        run_stage("some", [Write(tmp_path / "written"), *steps], tasks, config, tmp_path)

    return run_on_ray


def session_logs() -> str:
    """What Ray itself wrote down of its workers."""
    folder = Path(ray._private.worker._global_node.get_logs_dir_path())
    return all_text(list(folder.rglob("*")))


def test_every_task_is_run_once_and_never_again(tmp_path: Path, run: Run) -> None:
    run(tasks=5)
    run(tasks=5)
    assert runs(tmp_path / "written") == dict.fromkeys(range(5), 1)
    assert sorted(path.name for path in (tmp_path / "logs/some/logs").iterdir()) == [
        f"task_{rank:05d}.log" for rank in range(5)
    ]


def test_an_unexpected_error_ends_the_run_and_tells_no_text(
    tmp_path: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TaskFailed) as error:
        run(Fail("unexpected"))
    assert str(error.value).startswith("task 1: ValueError at tests/data_pipeline/executors/steps.py:")
    logs = all_text(list((tmp_path / "logs").rglob("*.log")))
    assert "ValueError at tests/" in logs
    captured = capfd.readouterr()
    assert SECRET not in str(error.value) + logs + captured.out + captured.err
    assert SECRET not in session_logs()
    run()
    assert runs(tmp_path / "written")[1] == 2


def test_errors_for_people_stay_as_they_are(run: Run) -> None:
    with pytest.raises(UserError, match="no column 'series'\n  fix: add it"):
        run(Fail("user"))


def test_a_task_whose_worker_was_killed_runs_again(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run(Die(tmp_path / "written", times=2))
    assert runs(tmp_path / "written") == {0: 1, 1: 3, 2: 1}
    told = "warning: the worker on task 1 of stage some died (WorkerCrashedError): trying it again"
    assert capsys.readouterr().out.splitlines().count(told) == 2


def test_a_task_that_kills_its_workers_ends_the_run(tmp_path: Path, run: Run) -> None:
    with pytest.raises(
        UserError, match=r"task 1 of stage some died \(WorkerCrashedError\), for the 3rd time"
    ):
        run(Die(tmp_path / "written", times=9))


def test_a_task_that_this_machine_has_no_room_for_is_refused(run: Run) -> None:
    with pytest.raises(UserError, match="this machine has no 1 CPUs and 100000 GiB for a task"):
        run(mem_per_cpu_gb=100_000)
    with pytest.raises(UserError, match="this machine has no 64 CPUs"):
        run(cpus_per_task=64)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster that outlives the builds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("ray"), "start", "--head", "--block", f"--port={port}"]
    command += ["--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats"]
    command += ["--object-store-memory=100000000"]
    head = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not _listens(port):
        assert head.poll() is None and time.monotonic() < deadline, "no Ray came up"
        time.sleep(0.1)
    yield f"127.0.0.1:{port}"
    head.terminate()
    head.wait(timeout=60)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("kills", [0, 1])
def test_a_dataset_is_the_same_as_a_local_one(tmp_path: Path, kills: int) -> None:
    source = tickets(tmp_path / "in", files=3)
    build = Build(tmp_path / "ray", source, RAY)
    kill_at_random_moments(build, moments=kills, seed=3)
    check_that_it_ends_like_a_local_build(build, source)


def test_a_cluster_goes_on_after_its_build_was_killed(tmp_path: Path, cluster: str) -> None:
    source = tickets(tmp_path / "in", files=3)
    build = Build(tmp_path / "ray", source, {**RAY, "address": cluster})
    kill_at_random_moments(build, moments=2, seed=4)
    check_that_it_ends_like_a_local_build(build, source)


def check_that_it_ends_like_a_local_build(build: Build, source: Path) -> None:
    manifest = build.finish()
    local = build.output.with_name("local")
    whole = Build(local, source, {"type": "local"}).finish()
    assert manifest.content_hash == whole.content_hash
    assert manifest.counts == whole.counts
    assert dataset_bytes(build.output) == dataset_bytes(local)


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    build = Build(tmp_path / "out", tickets(tmp_path / "in", files=1), {**RAY, "address": "127.0.0.1:1"})
    ended = build.run()
    assert ended.returncode == 1
    assert "error: executor ray: there is no cluster at address '127.0.0.1:1'\n  fix: start" in ended.stderr
