"""The base model and its adapters through Transformers, PEFT and bitsandbytes: on a GPU or a CPU."""

from typing import TYPE_CHECKING, Any

from common.chat import FAMILIES
from common.errors import UserError
from common.models import load_weights
from sft import ranks
from sft.backends.earlier import load_earlier
from sft.backends.qat import round_in_training
from sft.choices import Choices
from sft.config import LoraOptions, TrainConfig

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import BitsAndBytesConfig, PreTrainedModel


def prepare(config: TrainConfig, choices: Choices) -> Any:
    """Return the model to train: the base with a new or an earlier adapter, or the base itself.

    Raises:
        UserError: the model can't be fetched, lacks a target, or does not fit the earlier adapter.
    """
    base = load_base(config, choices)
    if config.lora is not None and config.lora.top_layers is not None and not ranks.is_sharded():
        # Gradient checkpointing would have the embeddings' output require gradients, and so send them
        # through the frozen blocks below the adapters.
        base.enable_input_require_grads = lambda: None
    if config.qat is not None:
        round_in_training(base, config.qat)
    if config.lora is None:
        return base
    from peft import get_peft_model

    model = get_peft_model(
        base,
        lora_config(config.model, config.lora, base.config.num_hidden_layers),
        # ZeRO-3 takes one dtype only (https://github.com/deepspeedai/DeepSpeed/issues/8072).
        autocast_adapter_dtype=not ranks.is_deepspeed(),
    )
    if config.adapter is not None:
        load_earlier(model, config)
    return model


def load_base(config: TrainConfig, choices: Choices) -> "PreTrainedModel":
    """Load the base model; 4-bit NF4 with double quantisation when the config asks for it.

    Raises:
        UserError: the model can't be fetched, or lacks a target of the adapters.
    """
    import torch

    # Weights that are trained themselves stay whole, and are computed with in 16 bits (autocast): bfloat16
    # has 8 bits of precision, and a step of 1e-5 would not move most of them.
    dtype = getattr(torch, choices.dtype) if config.lora is not None else torch.float32
    model = load_weights(
        config.model,
        FAMILIES[config.chat_template],
        dtype,
        device=choices.placement,
        quantization=_nf4(dtype) if config.load_in_4bit else None,
        attention=choices.attention,
    )
    if config.lora is not None:
        check_targets(model, config)
    return model


def _nf4(dtype: Any) -> "BitsAndBytesConfig":
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_quant_storage=dtype,  # FSDP shards whole modules of one dtype
    )


def check_targets(model: "PreTrainedModel", config: TrainConfig) -> None:
    """Raise UserError for adapter targets that the model lacks."""
    assert config.lora is not None
    modules = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    if missing := [name for name in config.lora.target_modules if name not in modules]:
        raise UserError(
            f"'{config.model}' has no modules named {', '.join(missing)}",
            "adapt lora.target_modules to the model",
        )
    parameters = [name for name, _ in model.named_parameters()]
    if missing := [
        name
        for name in config.lora.target_parameters
        if not any(one.endswith(f".{name}") for one in parameters)
    ]:
        raise UserError(
            f"'{config.model}' has no parameters named {', '.join(missing)}",
            "adapt lora.target_parameters to the model",
        )
    layers = model.config.num_hidden_layers
    if config.lora.top_layers and config.lora.top_layers > layers:
        raise UserError(
            f"'{config.model}' has {layers} blocks, fewer than lora.top_layers={config.lora.top_layers}",
            "lower it, or leave it out for adapters in all blocks",
        )


def lora_config(model: str, lora: LoraOptions, layers: int) -> "LoraConfig":
    """PEFT's config of the adapter on a base of so many blocks (`layers`)."""
    from peft import LoraConfig

    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),  # for None, PEFT would take the model type's usual ones
        target_parameters=_target_parameters(lora, layers),
        layers_to_transform=top_layers(lora, layers) if lora.target_modules else None,
        use_rslora=lora.use_rslora,
        use_dora=lora.use_dora,
        base_model_name_or_path=model,
        task_type="CAUSAL_LM",
    )


def _target_parameters(lora: LoraOptions, layers: int) -> list[str] | None:
    """Names for PEFT, which does not look at `layers_to_transform` here: so each block is named."""
    blocks = top_layers(lora, layers)
    if not lora.target_parameters or blocks is None:
        return list(lora.target_parameters) or None
    return [f"layers.{block}.{name}" for block in blocks for name in lora.target_parameters]


def top_layers(lora: LoraOptions, layers: int) -> list[int] | None:
    """Numbers of the blocks that get adapters; None is all of them."""
    return None if lora.top_layers is None else list(range(layers - lora.top_layers, layers))
