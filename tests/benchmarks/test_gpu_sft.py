"""The GPU benchmark runs end to end on a CPU with a tiny model, and its model is what it says."""

import json
from pathlib import Path

import pytest

from benchmarks import gpu_sft
from benchmarks.gpu_sft_inputs import ARCHITECTURES, FAMILY, write_dataset, write_model
from common.chat import load_tokenizer
from sft.data.examples import load_examples

PLAIN = "plain TRL, no checkpointing"
OURS = "sft.train, peft, no checkpointing"


def test_the_8b_architecture_has_its_published_number_of_weights() -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**ARCHITECTURES["llama31_8b"]))
    assert model.num_parameters() == 8_030_261_248
    assert model.config.rope_parameters["rope_theta"] == 500_000


def test_conversations_have_realistic_lengths_and_trained_tokens(tmp_path: Path) -> None:
    architecture = ARCHITECTURES["tiny"]
    model = write_model(tmp_path / "tiny", architecture, seed=1)
    tokenizer = load_tokenizer(model, FAMILY)
    assert len(tokenizer) == architecture["vocab_size"]
    dataset = write_dataset(tmp_path / "dataset", {"train": 300}, words=1000, length=2048, seed=1)
    examples = load_examples(dataset / "train.jsonl", tokenizer, FAMILY, max_length=2048)
    assert len(examples) == 300 and not examples.dropped
    lengths = sorted(examples.lengths)
    assert 250 < lengths[150] < 700 and lengths[295] > 1500, "the median, and a long tail"
    assert 0.4 < examples.supervised / sum(lengths) < 0.8
    assert examples.truncated < 15


def test_the_model_is_written_once(tmp_path: Path) -> None:
    first = write_model(tmp_path / "tiny", ARCHITECTURES["tiny"], seed=1)
    before = {path.name: path.stat().st_mtime_ns for path in first.iterdir()}
    assert "model-0.safetensors" in before, "a shard for each block"
    write_model(tmp_path / "tiny", ARCHITECTURES["tiny"], seed=1)
    assert {path.name: path.stat().st_mtime_ns for path in first.iterdir()} == before


@pytest.mark.slow
def test_the_benchmark_runs_on_a_cpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", "tiny", "--steps", "2", "--warm-up", "1", "--length", "128", "--batch", "1"]
    variants = [PLAIN, OURS, "sft.train, unsloth"]
    gpu_sft.main([*arguments, "--rounds", "1", "--output", str(tmp_path), "--variants", *variants])
    result = json.loads((tmp_path / "result.json").read_text())
    (plain,), (ours,), (unsloth,) = (result["runs"][name] for name in variants)
    assert unsloth == {"failed": "Unsloth needs an NVIDIA GPU"}
    for run in (plain, ours):
        assert run["tokens_per_s"] > run["supervised_per_s"] > 0
        assert {"torch", "trl", "peft"} <= set(run["versions"])
    assert ours["loss"] == pytest.approx(plain["loss"], rel=0.01)
    printed = capsys.readouterr().out
    assert "sft.train, unsloth: Unsloth needs an NVIDIA GPU" in printed
    assert f"trl {plain['versions']['trl']}" in printed and OURS in printed
