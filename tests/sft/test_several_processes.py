"""Two processes on one machine (gloo, CPU) train what one process trains."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common.artifacts import read_manifest, verify
from common.config import dump
from tests.sft.small_runs import rows, small_config, write_dataset

pytestmark = pytest.mark.slow
LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]


def train(
    folder: Path, name: str, processes: int, disturbance: str | None = None, **changes: Any
) -> subprocess.CompletedProcess[str]:
    """16 examples a step in both cases; no dropout, whose masks are a process's own."""
    lora = {"r": 4, "alpha": 8, "dropout": 0.0}
    settings = {"output": folder / name, "gradient_accumulation_steps": 8 // processes, "lora": lora}
    path = folder / f"{name}.yaml"
    path.write_text(dump(small_config(folder, **(settings | changes))))
    launcher = LAUNCH if processes == 2 else [sys.executable]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    module = ["tests.sft.disturbed_run", disturbance] if disturbance else ["sft.train"]
    return subprocess.run(
        [*launcher, "-m", *module, str(path)], capture_output=True, text=True, env=environment
    )


def losses(adapter: Path) -> list[dict[str, float]]:
    keys = ("step", "loss", "eval_loss", "grad_norm")
    with (adapter / "loss.csv").open() as file:
        return [{key: float(row[key]) for key in keys if row[key]} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """19 validation examples: the last batch of two processes is not whole, and must not count twice."""
    folder = tmp_path_factory.mktemp("processes")
    write_dataset(folder / "dataset", {"train": rows(64), "val": rows(19, 64), "test": rows(8, 83)})
    return folder


def test_two_processes_have_the_losses_of_one(folder: Path) -> None:
    one, two = train(folder, "one", 1), train(folder, "two", 2)
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    expected, actual = losses(folder / "one"), losses(folder / "two")
    assert [row["step"] for row in actual] == [row["step"] for row in expected]
    assert len(expected) >= 5
    for row, reference in zip(actual, expected, strict=True):
        assert row == pytest.approx(reference, rel=1e-4), row["step"]
    assert verify(folder / "two") == []
    counts = read_manifest(folder / "two").counts
    assert counts["steps"] == 6 and counts["best_eval_loss"] < counts["base_eval_loss"]
    config = json.loads((folder / "two" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(folder / "base")
    assert not list((folder / ".work").glob("two-*"))


def test_only_the_main_process_speaks(folder: Path) -> None:
    shown = train(folder, "spoken", 2, max_steps=2).stdout
    assert shown.count("[TRAIN]") == 1 and shown.count(f"wrote {folder / 'spoken'}") == 1
    assert "2 processes" in shown


def test_a_second_run_of_two_processes_has_nothing_to_do(folder: Path) -> None:
    train(folder, "again", 2, max_steps=2)
    done = train(folder, "again", 2, max_steps=2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is up to date") == 1


def test_an_error_ends_both(folder: Path) -> None:
    done = train(folder, "wrong", 2, lora={"r": 4, "target_modules": ["q_prj"]})
    assert done.returncode != 0 and "has no modules named q_prj" in done.stderr + done.stdout


def test_after_a_kill_in_the_second_epoch_they_go_on_with_its_rows(folder: Path) -> None:
    """4 steps an epoch, of 4 micro-batches; the checkpoint behind step 5 is one step into the second.

    One process alone does not go on: its epochs would have other steps.
    """
    settings = {"max_steps": 7, "eval_steps": 5, "logging_steps": 1}
    whole = train(folder, "unkilled", 2, **settings)
    assert whole.returncode == 0, whole.stderr
    assert train(folder, "killed", 2, "kill:23", **settings).returncode != 0
    assert not (folder / "killed").exists()
    refused = train(folder, "killed", 1, **settings, gradient_accumulation_steps=4)
    assert refused.returncode == 1
    assert "the interrupted run can't go on: processes was 2 and is 1" in refused.stderr
    resumed = train(folder, "killed", 2, **settings)
    assert resumed.returncode == 0 and "resuming from checkpoint-5" in resumed.stdout, resumed.stderr
    assert losses(folder / "killed") == losses(folder / "unkilled")


def test_a_nan_in_one_process_stops_both_with_its_rows(folder: Path) -> None:
    done = train(folder, "nan", 2, "nan:6")
    assert done.returncode != 0
    (alert,) = [line for line in done.stdout.splitlines() if "[ALERT]" in line]
    assert "step=2 nan: the loss of a micro-batch is nan; rows row-" in alert
    rows_named = alert.rpartition("rows ")[2]
    assert f"its rows: {rows_named}. No weight was changed" in done.stderr
