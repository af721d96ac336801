"""LoRA on the stacked weights of experts: where adapters are, and that a run trains, saves and loads them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common.artifacts import read_manifest
from common.config import dump, load
from sft.backends import peft
from sft.choices import Choices
from sft.config import TrainConfig
from tests.common.small_models import write_model
from tests.sft.small_runs import small_config

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = load(TrainConfig, ROOT / "configs/qwen3_30b_a3b.yaml", check_paths=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experts")
    write_model(folder / "base", "qwen3", hidden_size=64)
    return folder


def config(folder: Path, **lora: Any) -> TrainConfig:
    """The shipped config's adapters on a model of 2 blocks with 4 experts each."""
    assert SHIPPED.lora is not None
    return small_config(
        folder, chat_template="qwen3", lora=SHIPPED.lora.model_dump() | {"r": 2, "alpha": 4} | lora
    )


def trained_names(model: Any) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_adapters_are_on_the_experts_alone(folder: Path) -> None:
    model = peft.prepare(config(folder), Choices())
    names = trained_names(model)
    assert len(names) == 2 * 2 * 2, "blocks, stacks, A and B"
    assert all(".mlp.experts." in name for name in names)
    shapes = {tuple(p.shape) for p in model.parameters() if p.requires_grad}
    assert shapes == {(2 * 4, 64), (2 * 16, 2 * 4), (2 * 4, 16), (64, 2 * 4)}, "rank 2 for each of 4 experts"


def test_top_layers_holds_for_experts_too(folder: Path) -> None:
    names = trained_names(peft.prepare(config(folder, top_layers=1), Choices()))
    assert len(names) == 4 and all(".layers.1.mlp.experts." in name for name in names)
    both = trained_names(peft.prepare(config(folder, top_layers=1, target_modules=["q_proj"]), Choices()))
    assert len(both) == 6 and all(".layers.1." in name for name in both)


def test_bitsandbytes_leaves_stacks_of_experts_in_16_bits(folder: Path) -> None:
    """Why the shipped config is not 4-bit."""
    settings = config(folder).model_copy(update={"load_in_4bit": True, "device": "cpu"})
    model = peft.load_base(settings, Choices(dtype="bfloat16"))
    kinds = {
        name.rsplit(".", 1)[-1]: type(p).__name__ for name, p in model.model.layers[0].named_parameters()
    }
    assert kinds["gate_up_proj"] == kinds["down_proj"] == "Parameter"
    assert type(model.model.layers[0].self_attn.q_proj.weight).__name__ == "Params4bit"
    assert not SHIPPED.load_in_4bit


@pytest.mark.slow
def test_a_run_learns_saves_and_loads(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    from common.chat import FAMILIES
    from common.models import load as load_model

    settings = config(folder, r=8, alpha=16)
    settings = settings.model_copy(
        update={"max_steps": 20, "output": folder / "adapter", "learning_rate": 2e-2}
    )
    (folder / "run.yaml").write_text(dump(settings))
    command = [sys.executable, "-m", "sft.train", str(folder / "run.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = read_manifest(folder / "adapter").counts
    assert counts["best_eval_loss"] < 0.95 * counts["base_eval_loss"]
    saved = load_file(folder / "adapter/adapter_model.safetensors")
    assert len(saved) == 8 and all(".mlp.experts." in name for name in saved)
    assert json.loads((folder / "adapter/adapter_config.json").read_text())["target_modules"] == []

    family = FAMILIES["qwen3"]
    tuned, tokenizer = load_model(
        str(folder / "base"), adapter=folder / "adapter", family=family, device="cpu"
    )
    ids = torch.tensor([tokenizer("Where is my red box?")["input_ids"]])
    base = AutoModelForCausalLM.from_pretrained(folder / "base")
    assert (tuned(ids).logits - base(ids).logits).abs().max() > 0.1, "the adapter is in effect"
