"""Quantisation-aware training: what is rounded, that the rounding is torchao's, and what it is good for."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from common.chat import FAMILIES, load_tokenizer
from common.errors import UserError
from sft.backends.peft import prepare
from sft.backends.qat import round_in_training
from sft.choices import Choices
from sft.config import QatOptions
from sft.data.splits import load_splits
from sft.setup import make_trainer
from tests.sft.small_runs import small_config

torchao = pytest.importorskip("torchao.quantization", reason="needs torchao, which qat is done with")
CPU = Choices("cpu", "float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("qat")


def linear_layers(model: torch.nn.Module) -> dict[str, torch.nn.Linear]:
    return {name: one for name, one in model.named_modules() if isinstance(one, torch.nn.Linear)}


def quantised(model: Any, options: QatOptions) -> Any:
    """The model as it is served: torchao's real weights of few bits, in all layers outside the head."""
    if options.weights == "int4":
        granularity: Any = torchao.granularity.PerGroup(options.group_size)
    else:
        granularity = torchao.granularity.PerAxis(0)
    config = torchao.IntxWeightOnlyConfig(getattr(torch, options.weights), granularity)
    torchao.quantize_(
        model, config, filter_fn=lambda one, name: isinstance(one, torch.nn.Linear) and name != "lm_head"
    )
    return model


@pytest.mark.parametrize("weights", ["int4", "int8"])
def test_training_sees_what_serving_will_compute(folder: Path, weights: str) -> None:
    config = small_config(folder, lora=None, qat={"weights": weights, "group_size": 16})
    assert config.qat is not None
    rounded = prepare(config, CPU)
    ids = torch.arange(6, 40)[None]
    with torch.no_grad():
        plain = AutoModelForCausalLM.from_pretrained(config.model)
        exact = plain(ids).logits
        served = quantised(plain, config.qat)(ids).logits
        seen = rounded(ids).logits
    assert (seen - served).abs().max() < 1e-4
    assert (seen - exact).abs().max() > 1e-2, "nothing was rounded"


def test_the_head_and_the_embeddings_stay_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = prepare(small_config(folder, lora=None, qat={}), CPU)
    kinds = {name: type(layer).__name__ for name, layer in linear_layers(model).items()}
    assert kinds.pop("lm_head") == "Linear"
    assert set(kinds.values()) == {"FakeQuantizedLinear"} and len(kinds) == 14
    assert "int4 in groups of 32 (14 linear layers, 39% of all weights)" in capsys.readouterr().out


def test_gradients_pass_the_rounding(folder: Path) -> None:
    model = prepare(small_config(folder, lora=None, qat={}), CPU)
    ids = torch.arange(6, 40)[None]
    model(ids, labels=ids).loss.backward()
    assert all(layer.weight.grad.abs().sum() > 0 for layer in linear_layers(model).values())


def test_groups_have_to_fit(folder: Path) -> None:
    config = small_config(folder, lora=None, qat={"group_size": 24})
    with pytest.raises(UserError, match=r"layers\.0\.self_attn\.q_proj has 32 inputs") as caught:
        prepare(config, CPU)
    assert "qat.group_size" in caught.value.fix


def test_missing_torchao_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchao.quantization", None)
    with pytest.raises(UserError, match="qat needs torchao") as caught:
        round_in_training(torch.nn.Linear(2, 2), QatOptions())
    assert "pip install torchao" in caught.value.fix


def test_qat_is_for_training_of_all_weights(folder: Path) -> None:
    with pytest.raises(ValueError, match="qat trains all weights: set lora: null"):
        small_config(folder, qat={})


@pytest.mark.slow
def test_training_with_rounding_loses_less_by_it(folder: Path) -> None:
    """With seed 1 (and 2); after half of the steps it does not hold for every seed."""
    whole, few_bits = {}, {}
    for qat in (None, QatOptions()):
        name = "qat" if qat else "plain"
        trainer = trained(folder, folder / name, seed=1, qat=qat and qat.model_dump())
        trainer.save_model(str(folder / "saved"))
        model = AutoModelForCausalLM.from_pretrained(folder / "saved")
        whole[name] = loss(model, trainer.eval_dataset)
        few_bits[name] = loss(quantised(model, QatOptions()), trainer.eval_dataset)
        reported = trainer.state.best_metric
        assert reported == pytest.approx(few_bits[name] if qat else whole[name], rel=1e-3)
    assert few_bits["plain"] > 1.2 * whole["plain"]
    assert few_bits["qat"] < whole["qat"]
    assert few_bits["qat"] < 0.9 * few_bits["plain"]


@pytest.mark.slow
def test_the_saved_model_is_an_ordinary_one(folder: Path) -> None:
    trainer = trained(folder, folder / "names", seed=1, qat={}, max_steps=2)
    trainer.save_model(str(folder / "ordinary"))
    plain = AutoModelForCausalLM.from_pretrained(folder / "base")
    saved, info = AutoModelForCausalLM.from_pretrained(folder / "ordinary", output_loading_info=True)
    assert not any(info.values()), info
    assert saved.state_dict().keys() == plain.state_dict().keys()
    assert "quantization_config" not in saved.config.to_dict()
    layer = saved.model.layers[0].mlp.up_proj.weight
    assert len(layer[0].unique()) == 32, "the whole weights are saved, not the rounded ones"


def trained(folder: Path, work: Path, *, seed: int, max_steps: int = 120, **changes: Any) -> Any:
    config = small_config(
        folder, lora=None, max_steps=max_steps, eval_steps=max_steps, learning_rate=3e-3,
        seed=seed, sampler_seed=seed, **changes,
    )  # fmt: skip
    tokenizer = load_tokenizer(config.model, FAMILIES[config.chat_template])
    trainer = make_trainer(config, CPU, tokenizer, *load_splits(config, tokenizer), work)
    trainer.train()
    return trainer


def loss(model: Any, examples: Any) -> float:
    """Negative log-likelihood of a trained token, in nats, by Transformers' own forward pass."""
    total, tokens = 0.0, 0
    for example in examples:
        labels = torch.tensor(example["labels"][1:])
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([example["input_ids"]])).logits[0, :-1]
        total += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        tokens += int((labels >= 0).sum())
    return total / tokens
