from pathlib import Path

import pytest

from common.config import load
from common.errors import ConfigError
from sft.config import TrainConfig

CONFIGS = Path(__file__).parent.parent.parent / "configs"
TRAINING = sorted(p for p in CONFIGS.rglob("*.yaml") if p.read_text().startswith("# python -m sft.train "))


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_shipped_configs_load_and_open_with_their_command(path: Path) -> None:
    load(TrainConfig, path, check_paths=False)
    command = f"# python -m sft.train {path.relative_to(CONFIGS.parent)}"
    assert path.read_text().splitlines()[0] == command


def test_every_model_of_the_readme_has_a_config() -> None:
    names = {path.stem for path in TRAINING}
    assert {"llama31_8b", "qwen25_7b", "mistral_7b_v03", "llama32_3b", "gemma2_2b", "sft"} <= names
    assert {"llama31_70b", "qwen25_72b", "qwen25_3b", "qwen3_30b_a3b"} <= names


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_configs_train_16_examples_a_step(path: Path) -> None:
    config = load(TrainConfig, path, check_paths=False)
    gpus = 2 if "fsdp_qlora" in path.read_text() else 1
    assert config.per_device_train_batch_size * config.gradient_accumulation_steps * gpus == 16


def test_defaults_are_the_reference_recipe() -> None:
    config = load(TrainConfig, CONFIGS / "llama31_8b.yaml", check_paths=False)
    assert (config.lora.r, config.lora.alpha, config.lora.dropout) == (16, 32, 0.05)
    assert len(config.lora.target_modules) == 7
    assert config.per_device_train_batch_size * config.gradient_accumulation_steps == 16
    assert (config.learning_rate, config.num_train_epochs, config.warmup_ratio) == (2e-4, 3, 0.03)
    assert (config.lr_scheduler_type, config.eval_steps, config.load_in_4bit) == ("cosine", 100, True)


def test_4_bit_in_float32_is_refused() -> None:
    with pytest.raises(ConfigError, match="load_in_4bit computes in 16 bits"):
        load(TrainConfig, CONFIGS / "llama31_8b.yaml", ["dtype=float32"], check_paths=False)


@pytest.mark.parametrize("override", ["learning_rate=0", "lora.dropout=1", "max_length=0", "warmup_ratio=3"])
def test_values_out_of_range_are_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=override.split("=")[0]):
        load(TrainConfig, CONFIGS / "llama31_8b.yaml", [override], check_paths=False)
