"""The base model, frozen, in the precision it is trained in; and the LoRA config that goes on it."""

from typing import TYPE_CHECKING

from common.errors import UserError, cannot_load
from common.models import local_folder
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
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    dtype = getattr(torch, choices.dtype)
    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            str(local_folder(config.model) or config.model),
            dtype=dtype,
            device_map={"": choices.device},
            quantization_config=quantization if config.load_in_4bit else None,
            # Gemma 2 caps attention scores, which only the eager kernel applies.
            attn_implementation="eager" if config.chat_template == "gemma2" else "sdpa",
        )
    except (OSError, ValueError) as error:
        raise cannot_load("the model", config.model, error) from error
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
