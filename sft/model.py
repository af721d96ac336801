"""The base model, frozen, in the precision it is trained in; and the LoRA config that goes on it."""

from typing import TYPE_CHECKING

from common.chat import FAMILIES
from common.errors import UserError
from common.models import load_weights
from sft.choices import Choices
from sft.config import TrainConfig

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel


def load_base(config: TrainConfig, choices: Choices) -> "PreTrainedModel":
    """Load the base model; 4-bit NF4 with double quantisation when the config asks for it.

    Raises UserError when the model cannot be fetched or lacks a target module.
    """
    import torch
    from transformers import BitsAndBytesConfig

    dtype = getattr(torch, choices.dtype)
    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    model = load_weights(
        config.model,
        FAMILIES[config.chat_template],
        dtype,
        device=choices.device,
        quantization=quantization if config.load_in_4bit else None,
    )
    names = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    missing = [module for module in config.lora.target_modules if module not in names]
    if missing:
        raise UserError(
            f"'{config.model}' has no modules named {', '.join(missing)}",
            "adapt lora.target_modules to the model",
        )
    return model


def lora_config(config: TrainConfig) -> "LoraConfig":
    """PEFT's config of the adapter."""
    from peft import LoraConfig

    return LoraConfig(
        r=config.lora.r,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        target_modules=list(config.lora.target_modules),
        base_model_name_or_path=config.model,
        task_type="CAUSAL_LM",
    )
