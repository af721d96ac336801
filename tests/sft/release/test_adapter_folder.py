"""What a finished run writes beside its weights."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common.artifacts import read_manifest, verify
from common.config import dump
from tests.sft.release import finished_run
from tests.sft.release.finished_run import finish_run
from tests.sft.small_runs import small_config

ALERT = {"step": 2, "kind": "loss_spike", "message": "loss 9 after 3", "rows": ["row-1"]}


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_adapter_names_the_base_of_the_config_whatever_the_backend_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = finished_run.small_models.write_adapter

    def as_unsloth(folder: Path, base: Path) -> None:
        write(folder, base)
        settings = read(folder / "adapter_config.json")
        settings |= {"base_model_name_or_path": "unsloth/tiny-bnb-4bit", "target_modules": r"(.*?)(q_proj)"}
        (folder / "adapter_config.json").write_text(json.dumps(settings))

    monkeypatch.setattr(finished_run.small_models, "write_adapter", as_unsloth)
    config = finish_run(tmp_path)
    settings = read(config.output / "adapter_config.json")
    assert settings["base_model_name_or_path"] == str(tmp_path / "base")
    assert settings["target_modules"] == r"(.*?)(q_proj)" and settings["lora_alpha"] == 8


def test_equal_runs_have_equal_content(tmp_path: Path) -> None:
    config = finish_run(tmp_path)
    first = read_manifest(config.output).content_hash
    targets = read(config.output / "adapter_config.json")["target_modules"]
    assert targets == sorted(targets), "PEFT writes a set, in an order that changes from process to process"
    assert read_manifest(finish_run(tmp_path).output).content_hash == first
    assert verify(config.output) == []


def test_alerts_are_written_where_there_are_some(tmp_path: Path) -> None:
    config = finish_run(tmp_path, alerts=[ALERT, ALERT | {"step": 4}])
    lines = (config.output / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [ALERT, ALERT | {"step": 4}]
    assert read_manifest(config.output).counts["alerts"] == {"loss_spike": 2}
    assert (
        "Alerts during training: loss_spike 2 (`alerts.jsonl`)." in (config.output / "README.md").read_text()
    )
    config = finish_run(tmp_path, alerts=[], output=tmp_path / "calm")
    assert not (config.output / "alerts.jsonl").exists()
    assert read_manifest(config.output).counts["alerts"] == {}


def test_all_weights_are_a_model_of_their_own(tmp_path: Path) -> None:
    config = finish_run(tmp_path, lora=None)
    names = {file.name for file in config.output.iterdir()}
    expected = {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja", "README.md"}
    assert expected <= names and "adapter_config.json" not in names
    assert read(config.output / "metadata.json")["base_model"] == str(tmp_path / "base")


@pytest.mark.slow
def test_a_run_of_all_weights_writes_a_model_that_stops_at_the_end_of_a_turn(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(dump(small_config(tmp_path, lora=None, learning_rate=1e-3)))
    command = [sys.executable, "-m", "sft.train", str(tmp_path / "run.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    output = tmp_path / "adapter"
    names = {file.name for file in output.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert "adapter_config.json" not in names
    assert 2 in read(output / "generation_config.json")["eos_token_id"], "the id of <|end|>"
    counts = read_manifest(output).counts
    assert counts["best_eval_loss"] < counts["base_eval_loss"]
