"""The real command, on a random model: what it writes, and that a kill changes nothing."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common.artifacts import read_manifest, verify
from common.config import dump
from sft.checkpoints import last_checkpoint
from tests.common.small_models import write_model
from tests.sft.small_runs import small_config

pytestmark = pytest.mark.slow


def command(folder: Path, name: str, **changes: Any) -> list[str]:
    path = folder / f"{name}.yaml"
    path.write_text(dump(small_config(folder, output=folder / name, **changes)))
    return [sys.executable, "-m", "sft.train", str(path)]


def run(arguments: list[str]) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="module")
def first_run(folder: Path) -> str:
    return run(command(folder, "adapter", max_steps=20))


def test_the_adapter_folder_is_complete(folder: Path, first_run: str) -> None:
    adapter = folder / "adapter"
    expected = {
        "adapter_config.json",
        "adapter_model.safetensors",
        "training_args.json",
        "metadata.json",
        "tokenizer.json",
        "chat_template.jinja",
        "config.yaml",
        "loss.csv",
        "loss.png",
        "manifest.json",
    }
    assert expected <= set(os.listdir(adapter))
    assert verify(adapter) == []
    metadata = json.loads((adapter / "metadata.json").read_text())
    assert metadata["dataset_hash"] == read_manifest(folder / "dataset").content_hash
    assert set(metadata) >= {"created_at", "git_commit", "base_model", "chat_template", "description"}
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["r"]) == (str(folder / "base"), 4)
    assert not list((folder / ".work").glob("adapter-*")), "checkpoints are removed when the adapter is whole"


def test_training_lowers_the_validation_loss(folder: Path, first_run: str) -> None:
    counts = read_manifest(folder / "adapter").counts
    assert counts["best_eval_loss"] < 0.9 * counts["base_eval_loss"]
    assert re.search(
        r"\[TRAIN\] run_id=adapter step=20/20 epoch=\S+ lr=\S+ loss=\S+ grad_norm=\S+ tok_per_s=", first_run
    )
    assert "[EVAL] run_id=adapter step=0/20 val_loss=" in first_run


def test_a_second_run_has_nothing_to_do(folder: Path, first_run: str) -> None:
    assert run(command(folder, "adapter", max_steps=20)) == f"{folder / 'adapter'} is up to date\n"


def test_dry_run_shows_the_plan_and_trains_nothing(folder: Path, first_run: str) -> None:
    shown = run([*command(folder, "planned"), "--dry-run"])
    assert "would train 6 steps of 4 examples" in shown and "learning_rate: 0.01" in shown
    assert "Your red box is on its way." in shown and not (folder / "planned").exists()


def test_a_half_written_checkpoint_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((3, "{}"), (6, '{"half": '), (9, None)):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        if state is not None:
            (checkpoint / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-3"
    assert last_checkpoint(tmp_path / "nowhere") is None


def test_qlora_runs_on_a_cpu_when_asked_to(folder: Path, first_run: str) -> None:
    base = write_model(folder / "base64", hidden_size=64)  # 4-bit blocks hold 64 weights
    changes = {"load_in_4bit": True, "device": "cpu", "gradient_checkpointing": True, "max_steps": 2}
    shown = run(command(folder, "qlora", **changes, eval_steps=2, model=str(base)))
    assert "bfloat16 (4-bit computes in 16 bits)" in shown
    config = json.loads((folder / "qlora" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(base), "serving needs the original base"


@pytest.mark.gpu
@pytest.mark.parametrize("load_in_4bit", [False, True])
def test_a_gpu_learns_and_has_the_loss_of_the_cpu(folder: Path, first_run: str, load_in_4bit: bool) -> None:
    name = f"gpu-{load_in_4bit}"
    base = write_model(folder / f"base-{name}", hidden_size=64) if load_in_4bit else folder / "base"
    changes = {"device": "cuda", "load_in_4bit": load_in_4bit, "gradient_checkpointing": True}
    shown = run(command(folder, name, **changes, max_steps=20, model=str(base)))
    counts = read_manifest(folder / name).counts
    assert "device           cuda" in shown and counts["best_eval_loss"] < 0.95 * counts["base_eval_loss"]
    if not load_in_4bit:
        on_cpu = read_manifest(folder / "adapter").counts["base_eval_loss"]
        assert counts["base_eval_loss"] == pytest.approx(on_cpu, rel=0.02), "same loss as on the CPU"


def test_out_of_memory_the_run_goes_on_in_smaller_pieces(folder: Path) -> None:
    """Same losses: of the batch the product counts."""
    settings = {"max_steps": 6, "eval_steps": 2, "lora": {"r": 4, "alpha": 8, "dropout": 0.0}}
    whole = command(folder, "roomy", **settings)
    run(whole)
    name = "tight"
    path = command(folder, name, **settings)[-1]
    disturbed = [sys.executable, "-m", "tests.sft.disturbed_run", "memory:11", path]
    failed = subprocess.run(disturbed, capture_output=True, text=True)
    assert failed.returncode == 1 and "the GPU is out of memory" in failed.stderr
    smaller = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}
    assert "resuming from checkpoint-4" in run(command(folder, name, **settings, **smaller))
    expected, actual = (read_manifest(folder / one).counts for one in ("roomy", name))
    assert actual["steps"] == expected["steps"] == 6
    assert actual["best_eval_loss"] == pytest.approx(expected["best_eval_loss"], rel=1e-4)
    assert "is up to date" in run(whole)
