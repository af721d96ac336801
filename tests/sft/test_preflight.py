import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from sft import preflight
from tests.common.small_models import write_model
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
    with pytest.raises(UserError, match=r"has 0\.0 GB of disk left, and its checkpoints need about 0\.1 GB"):
        preflight.check_disk(small_config(folder))


def test_the_disk_has_to_hold_the_checkpoints_of_experts_adapters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weight and two moments in float32, three times: 36 bytes for each of 4 experts' adapters."""
    write_model(tmp_path / "base", "qwen3")
    usage = namedtuple("usage", "total used free")
    lora = {
        "r": 1000,
        "dropout": 0,
        "target_modules": [],
        "target_parameters": ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"],
    }
    config = small_config(tmp_path, chat_template="qwen3", lora=lora)
    needed = 36 * 1000 * 2 * 4 * ((32 + 32) + (16 + 32)) + 100 * 2**20
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, needed))
    preflight.check_disk(config)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, needed - 1))
    with pytest.raises(UserError, match="free some space"):
        preflight.check_disk(config)


def test_two_gpus_are_refused_before_the_model_loads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "gpu_count", lambda: 2)
    text = problem(folder)
    assert "2 GPUs are visible" in text and "accelerate launch" in text and "CUDA_VISIBLE_DEVICES=0" in text
    preflight.check(small_config(folder, device="cpu"))
    monkeypatch.setenv("WORLD_SIZE", "2")  # as a launcher sets it
    preflight.check(small_config(folder))
