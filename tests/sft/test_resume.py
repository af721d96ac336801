"""A run that is killed and started again is the run that was never killed: same losses, same weights."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from common.artifacts import read_manifest

pytestmark = pytest.mark.slow

PLACES = {
    "micro:7": "before the first checkpoint, in the second half of an accumulation",
    "micro:11": "behind checkpoint 4, in the first half of one",
    "micro:21": "at the border of the first epoch, which has 10 steps",
    "micro:26": "in the middle of the second epoch",
    "save:2": "in a save: the weights are there, the state is not",
    "publish:1": "behind the last step, which lies within an epoch",
    "stopped-publish:1": "behind an early stop",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.sft.killed_runs", str(folder), *PLACES]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("place", PLACES)
def test_after_a_kill_the_same_command_gives_the_same_curve_and_weights(folder: Path, place: str) -> None:
    killed = folder / place.replace(":", "-")
    whole = folder / ("stopped-whole" if place.startswith("stopped") else "whole")
    assert _curve(killed) == _curve(whole), PLACES[place]
    weights = "adapter_model.safetensors"
    assert (killed / weights).read_bytes() == (whole / weights).read_bytes()
    assert read_manifest(killed).counts == read_manifest(whole).counts


def _curve(adapter: Path) -> list[dict[str, str]]:
    with (adapter / "loss.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 5 and rows[-1]["eval_loss"]
    return rows


def test_the_runs_end_where_they_should(folder: Path) -> None:
    assert {"4", "8", "12", "14"} <= {row["step"] for row in _curve(folder / "whole")}
    stopped = read_manifest(folder / "stopped-whole").counts["steps"]
    assert 4 <= stopped < 40
