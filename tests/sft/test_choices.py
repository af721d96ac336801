from pathlib import Path

import pytest

from common.errors import UserError
from sft import choices
from sft.choices import Choices, resolve
from tests.sft.small_runs import small_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("choices")


def test_a_cpu_gets_float32_and_the_fused_layers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(choices, "gpu_count", lambda: 0)
    assert resolve(small_config(folder)) == Choices("cpu", "float32", fused_lora=True)
    assert "cpu (no NVIDIA GPU is visible)" in capsys.readouterr().out


def test_settings_of_the_config_win(folder: Path) -> None:
    config = small_config(folder, device="cpu", dtype="bfloat16")
    assert resolve(config) == Choices("cpu", "bfloat16", fused_lora=False)


def test_a_gpu_that_torch_cannot_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a driver and the CPU build of torch, which the README recommends for a first try."""
    import torch

    monkeypatch.setattr(choices, "gpu_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve(small_config(folder)).device == "cpu"
    with pytest.raises(UserError, match="cannot use it"):
        resolve(small_config(folder, device="cuda"))
    with pytest.raises(UserError, match="cannot use it"):
        resolve(small_config(folder, load_in_4bit=True))


def test_float16_is_for_gpus(folder: Path) -> None:
    with pytest.raises(UserError, match="on a CPU nothing scales its gradients"):
        resolve(small_config(folder, device="cpu", dtype="float16"))


@pytest.mark.parametrize(
    ("capability", "attention", "packing"),
    [((7, 5), "sdpa", False), ((8, 0), "flash_attention_2", True), ((9, 0), "flash_attention_2", True)],
)
def test_flash_attention_needs_an_ampere_gpu(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capability: tuple[int, int],
    attention: str,
    packing: bool,
) -> None:
    import torch

    monkeypatch.setattr(choices, "gpu_count", lambda: 1)
    monkeypatch.setattr(choices.importlib.util, "find_spec", lambda name: name == "flash_attn" or None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    resolved = resolve(small_config(folder, dtype="float16"))
    assert (resolved.attention, resolved.packing) == (attention, packing)
