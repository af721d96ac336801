"""What `common.models` says about folders, and that an adapter changes the model as PEFT would."""

import json
from pathlib import Path

import pytest

from common.chat import FAMILIES
from common.errors import UserError
from common.models import check, load, local_folder
from tests.common.small_models import write_adapter, write_model

TINY = FAMILIES["tiny"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    return write_adapter(base.parent / "adapter", base)


def logits(model):
    import torch

    ids = torch.arange(20, 60)[None]
    with torch.inference_mode():
        return model(input_ids=ids.to(model.device)).logits.float()


def test_adapter_gives_the_logits_of_peft(base, adapter):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    expected = logits(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).eval())
    plain, _ = load(str(base), family=TINY)
    tuned, _ = load(str(base), adapter=adapter, family=TINY)
    torch.testing.assert_close(logits(tuned), expected, rtol=1e-4, atol=1e-4)
    assert (logits(plain) - expected).abs().max() > 0.1


def test_in_16_bits_the_adapter_stays_beside_the_weights(base, adapter):
    merged, _ = load(str(base), adapter=adapter, family=TINY)
    beside, _ = load(str(base), adapter=adapter, family=TINY, dtype="bfloat16")
    assert not any("lora_" in name for name, _ in merged.named_parameters())
    assert any("lora_" in name for name, _ in beside.named_parameters())
    assert type(beside) is type(merged)


def test_a_cpu_gets_float32_and_its_reason_is_printed(base, capsys):
    import torch

    model, _ = load(str(base), family=TINY, device="cpu")
    assert model.dtype == torch.float32
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert "dtype" in capsys.readouterr().out


def test_gemma_gets_the_kernel_that_knows_its_soft_cap(tmp_path):
    model, _ = load(str(write_model(tmp_path / "gemma", "gemma2")), family=FAMILIES["gemma2"])
    assert model.config._attn_implementation == "eager"


def test_missing_folder(tmp_path):
    with pytest.raises(UserError, match="no such model folder"):
        check(str(tmp_path / "nowhere"))


def test_folder_without_config(tmp_path):
    with pytest.raises(UserError, match=r"holds no config\.json"):
        check(str(tmp_path))


def test_adapter_given_as_model(adapter):
    with pytest.raises(UserError, match="is an adapter") as error:
        check(str(adapter))
    assert "as adapter" in error.value.fix


def test_model_given_as_adapter(base):
    with pytest.raises(UserError, match=r"no adapter_config\.json"):
        check(str(base), base)


def test_adapter_of_another_base_is_a_warning(base, adapter, tmp_path, capsys):
    check(str(base), adapter)
    assert capsys.readouterr().out == ""
    other = write_model(tmp_path / "other", seed=5)
    check(str(other), adapter)
    assert f"was trained on '{base}', and is used on '{other}'" in capsys.readouterr().out


@pytest.mark.parametrize("layers", [1, 3])
def test_adapter_that_does_not_fit(adapter, tmp_path, layers):
    other = write_model(tmp_path / "other", layers=layers)
    with pytest.raises(UserError, match="does not fit"):
        load(str(other), adapter=adapter, family=TINY)


def test_adapter_of_another_shape(base, adapter, tmp_path):
    copy = tmp_path / "adapter"
    copy.mkdir()
    for file in adapter.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    config = json.loads((copy / "adapter_config.json").read_text())
    (copy / "adapter_config.json").write_text(json.dumps(config | {"r": 2}))
    with pytest.raises(UserError, match="does not fit"):
        load(str(base), adapter=copy, family=TINY)


@pytest.mark.parametrize(
    ("name", "is_local"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", False),
        ("gpt2", False),
        ("out/tiny_base", True),
        ("elsewhere/tiny_base", False),
        ("./model", True),
        ("~/model", True),
        ("/models/llama", True),
        ("models/of/mine", True),
    ],
)
def test_folder_or_hub(name, is_local, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    assert (local_folder(name) is not None) == is_local


def test_hub_that_cannot_be_reached(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="nobody/nothing") as error:
        load("nobody/nothing", family=TINY)
    assert error.value.fix
