"""Builds of several tasks: in which order rows come, what a killed one leaves, whole public data sets."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.data_pipeline.building import NO_LEVELS, PROMPT, Dataset, build_dataset, chat, write_lines


def many_files(folder: Path, files: int, rows: int, long_row: int = 0) -> Path:
    for file in range(files):
        lines = [chat(f"Question {file * rows + n // 2}", "Answer", customer_id=n % 50) for n in range(rows)]
        write_lines(folder / f"{file:03d}.jsonl", [*lines, b"{" + b"x" * long_row])
    return folder


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several tasks for every file."""
    monkeypatch.setattr("data_pipeline.shards._SMALLEST", 1000)


@pytest.mark.usefixtures("small_shards")
def test_rows_come_in_input_order(tmp_path: Path) -> None:
    dataset = build_dataset(tmp_path / "out", many_files(tmp_path / "in", files=3, rows=6))
    places = [row["meta"]["source"] for row in dataset.rows("train")]
    assert [(place["file"], place["line"]) for place in places] == [
        (f"00{file}.jsonl", line) for file in range(3) for line in (1, 3, 5)
    ]
    assert [row["line"] for row in dataset.rejected] == [7, 7, 7, *[2, 4, 6] * 3]


def test_cutting_files_into_tasks_changes_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = many_files(tmp_path / "in", files=2, rows=40)
    whole = build_dataset(tmp_path / "whole", folder, level1={"min_characters": 1}).manifest
    request.getfixturevalue("small_shards")
    cut = build_dataset(tmp_path / "cut", folder, level1={"min_characters": 1}).manifest
    assert cut.content_hash == whole.content_hash
    assert cut.counts == whole.counts


@pytest.mark.slow
@pytest.mark.usefixtures("small_shards")
def test_the_content_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    folder = many_files(tmp_path / "in", files=5, rows=40)
    one, two = (
        build_dataset(
            tmp_path / str(n), folder, executor={"type": "local", "workers": n}, split=THREE_PARTS
        ).manifest
        for n in (1, 2)
    )
    assert one.content_hash == two.content_hash
    assert one.counts == two.counts
    assert one.counts["rejected"] == {"defect": {"broken_json": 5}, "level1": {"duplicate": 100}}


THREE_PARTS = {"train": 0.4, "val": 0.3, "test": 0.3}


def command(path: Path, config: dict[str, object]) -> list[str]:
    path.write_text(yaml.safe_dump(config))
    return [sys.executable, "-m", "data_pipeline.build", str(path)]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_build_goes_on_and_ends_the_same(tmp_path: Path, workers: int) -> None:
    folder = many_files(tmp_path / "in", files=3, rows=40, long_row=1_000_000)
    config = {
        "output": str(tmp_path / "killed"),
        "sources": [{"type": "chat", "path": str(folder)}],
        "system_prompt": PROMPT,
        "executor": {"type": "local", "workers": workers},
        **NO_LEVELS,
        "max_rejected_share": 0.5,
    }
    run = subprocess.Popen(command(tmp_path / "killed.yaml", config), stdout=subprocess.PIPE)
    done = tmp_path / ".work"
    deadline = time.monotonic() + 60
    while not (first := list(done.glob("killed-*/logs/clean/completions/*"))):
        assert run.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=20)  # returns once no worker is left that could write to the pipe
    assert not (tmp_path / "killed").exists()
    clean = first[0].parents[3] / "clean" / f"{first[0].name}.jsonl"
    written = clean.stat().st_mtime_ns

    again = subprocess.Popen(command(tmp_path / "killed.yaml", config))
    while again.poll() is None:
        if clean.exists():
            assert clean.stat().st_mtime_ns == written, "a finished task was done again"
        time.sleep(0.01)
    assert again.returncode == 0
    whole = command(
        tmp_path / "whole.yaml", config | {"output": str(tmp_path / "whole"), "executor": {"type": "local"}}
    )
    subprocess.run(whole, check=True)
    killed, undisturbed = Dataset(tmp_path / "killed").manifest, Dataset(tmp_path / "whole").manifest
    assert killed.content_hash == undisturbed.content_hash
    assert killed.counts == undisturbed.counts


@pytest.mark.slow
@pytest.mark.public_data
def test_sgd_goes_through(tmp_path: Path, public_data: Path) -> None:
    path = public_data / "sgd/train.jsonl.gz"
    counts = build_dataset(tmp_path / "out", path, split=THREE_PARTS).manifest.counts
    assert counts["rows_read"] == sum(counts["rows"].values()) == 9000
    assert sum(counts["assistant_turns"].values()) == 82778
    assert counts["rejected"] == {}


@pytest.mark.public_data
def test_taskmaster_goes_through(tmp_path: Path, public_data: Path) -> None:
    path = public_data / "taskmaster4/train.jsonl.gz"
    dataset = build_dataset(tmp_path / "out", path)
    assert dataset.manifest.counts["rejected"] == {"level1": {"duplicate": 21}}
    assert len(dataset.rows("train")) == 3179
    assert dataset.manifest.counts["turns_cut"] == 69
    assert dataset.rows("train")[0]["meta"]["fields"].keys() == {"scenario"}
