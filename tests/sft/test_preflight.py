import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from sft import preflight
from tests.sft.small_runs import rows, small_config, write_dataset


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "gpu_count", lambda: 0)
    monkeypatch.delenv("WORLD_SIZE", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    small_config(folder)
    return folder


def problem(folder: Path, **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        preflight.check(small_config(folder, **changes))
    assert caught.value.fix
    return str(caught.value)


def test_a_good_run_passes(folder: Path) -> None:
    preflight.check(small_config(folder))


def test_missing_model(folder: Path) -> None:
    assert f"no such model folder: '{folder}/bass'" in problem(folder, model=str(folder / "bass"))


def test_4_bit_without_a_gpu(folder: Path) -> None:
    text = problem(folder, load_in_4bit=True)
    assert "load_in_4bit needs an NVIDIA GPU" in text and "load_in_4bit=false" in text
    preflight.check(small_config(folder, load_in_4bit=True, device="cpu"))


def test_cuda_without_a_gpu(folder: Path) -> None:
    assert "no NVIDIA GPU is visible" in problem(folder, device="cuda")


def test_dataset_without_assistant_turns(folder: Path, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", {"train": rows(4), "val": []})
    assert "no assistant turns in its val split" in problem(folder, dataset=dataset)


def test_an_artifact_of_another_kind(folder: Path, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "report", kind="report")
    assert "is of kind 'report', not a dataset" in problem(folder, dataset=dataset)


def test_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 10**6))
    assert "has 0.0 GB of disk left" in problem(folder)


def test_two_gpus_are_refused_before_the_model_loads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "gpu_count", lambda: 2)
    text = problem(folder)
    assert "2 GPUs are visible" in text and "accelerate launch" in text and "CUDA_VISIBLE_DEVICES=0" in text
    preflight.check(small_config(folder, device="cpu"))
    monkeypatch.setenv("WORLD_SIZE", "2")  # as a launcher sets it
    preflight.check(small_config(folder))
