"""Stages on this machine: what fails is told without a ticket's text, and what is done is not done again."""

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from common import console
from common.errors import UserError
from data_pipeline.engine import run_stage
from data_pipeline.executors.config import LocalConfig
from data_pipeline.executors.failures import TaskFailed
from data_pipeline.executors.stage import follow
from tests.data_pipeline.executors.driving import (
    Build,
    all_text,
    dataset_bytes,
    kill_at_random_moments,
    tickets,
)
from tests.data_pipeline.executors.steps import SECRET, Die, Fail, Write, runs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "written").mkdir()
    return tmp_path / "written"


def run(folder: Path, *steps: Any, tasks: int = 3, workers: int = 1) -> None:
    run_stage("some", [Write(folder), *steps], tasks, LocalConfig(workers=workers), folder.parent)


def test_every_task_is_run_once_and_never_again(folder: Path) -> None:
    run(folder)
    run(folder)
    assert runs(folder) == {0: 1, 1: 1, 2: 1}


def test_after_a_failure_only_what_is_left_is_run(folder: Path) -> None:
    with pytest.raises(UserError):
        run(folder, Fail("user"))
    run(folder)
    assert runs(folder) == {0: 1, 1: 2, 2: 1}


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_unexpected_error_tells_its_type_and_place_but_no_text(
    folder: Path, capfd: pytest.CaptureFixture[str], workers: int
) -> None:
    with pytest.raises(TaskFailed) as error:
        run(folder, Fail("unexpected"), workers=workers)
    told = str(error.value)
    assert told.startswith("task 1: ValueError at tests/data_pipeline/executors/steps.py:")
    assert ", called at tests/data_pipeline/executors/steps.py:" in told
    log = all_text(list(folder.parent.rglob("*.log")))
    assert "ValueError at tests/" in log
    captured = capfd.readouterr()
    assert SECRET not in told + repr(error.value.__cause__) + log + captured.out + captured.err
    assert captured.err == ""


@pytest.mark.parametrize(
    ("kind", "error", "told"),
    [("user", UserError, "no column 'series'\n  fix: add it"), ("os", FileNotFoundError, "/a/table.csv")],
)
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_errors_for_people_stay_as_they_are(
    folder: Path, kind: str, error: type[Exception], told: str, workers: int
) -> None:
    with pytest.raises(error, match=told):
        run(folder, Fail(kind), workers=workers)


@pytest.mark.slow
def test_a_killed_worker_ends_the_run(folder: Path) -> None:
    with pytest.raises(BrokenProcessPool):
        run(folder, Die(folder, times=1), workers=2)
    run(folder, Die(folder, times=1), workers=2)
    assert runs(folder)[1] == 2


def test_the_bar_shows_tasks_done_before_too(monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[tuple[float, Any]] = []
    make = console.progress

    def progress() -> Any:
        display = make()
        update = display.update
        monkeypatch.setattr(
            display,
            "update",
            lambda task, **to: (
                update(task, **to),
                updates.append((to["completed"], display.tasks[task].total)),
            ),
        )
        return display

    monkeypatch.setattr("data_pipeline.executors.stage.progress", progress)
    follow("some", [1, 2], tasks=10, left=2)
    assert updates == [(9, 10), (10, 10)]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_build_killed_at_random_moments_ends_the_same(tmp_path: Path, workers: int) -> None:
    source = tickets(tmp_path / "in")
    killed = Build(tmp_path / "killed", source, {"type": "local", "workers": workers})
    completed = kill_at_random_moments(killed, moments=4, seed=workers)
    assert completed == sorted(completed) and completed[-1] > completed[0]
    whole = Build(tmp_path / "whole", source, {"type": "local"}).finish()
    assert killed.finish().content_hash == whole.content_hash
    assert dataset_bytes(tmp_path / "killed") == dataset_bytes(tmp_path / "whole")
