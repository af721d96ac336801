"""Unsloth's LoRA kernels for one NVIDIA GPU (https://github.com/unslothai/unsloth, checked with 2026.10.7).

The only module that imports unsloth, which rewrites transformers, trl and peft and so has to be imported
before them. What it does to the classes that `sft.trainer` and `sft.setup` build on:

- `trl.SFTTrainer` and `SFTConfig` become rewritten ones, with an 8-bit optimizer and other defaults of their
  own: `training_arguments` names the optimizer.
- It batches without padding, and packs, unless the trainer is given a collator. Ours is left alone, and
  `skip_prepare_dataset` is respected.
- TRL's `add_fused_lm_head` wraps the model's forward pass, but does nothing unless it is called with
  `fused_lm_head=True`. `transformers.Trainer.compute_loss` does not, so Unsloth's pass gets what it expects,
  `num_items_in_batch` included, and returns its fused loss without logits.
- Its attention knows packed examples by `packed_seq_lengths` alone (see `model_inputs`).
- Dropout of the adapters runs in its fused kernels too: 0 is no longer needed for them.
"""

import os
from pathlib import Path
from typing import Any

from common.errors import UserError, cannot_load
from common.models import source
from sft import ranks
from sft.backends.earlier import load_earlier
from sft.backends.peft import check_targets, top_layers
from sft.choices import Choices
from sft.config import TrainConfig


def import_first() -> None:
    """Import unsloth; call it before anything imports transformers, trl or peft.

    Raises:
        UserError: it is not installed, or does not run on this machine.
    """
    os.environ.setdefault("UNSLOTH_DISABLE_STATISTICS", "1")  # it counts runs by downloads from the hub
    cache = Path.home() / ".cache" / "unsloth_compiled_cache"
    os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(cache))  # not the working directory
    try:
        import unsloth  # noqa: F401
    except Exception as error:  # it touches half of the environment, and any of it can fail
        raise UserError(
            f"backend is unsloth, but it can't be imported: {type(error).__name__}: {_first_line(error)}",
            "pip install -r locks/gpu.txt on a machine with an NVIDIA GPU; or set backend: peft",
        ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "no reason given")


def prepare(config: TrainConfig, choices: Choices) -> Any:
    """Return the base with a new or an earlier adapter, in Unsloth's kernels.

    Its tokenizer is not used: ids and template are `common.chat`'s.

    Raises:
        UserError: the model can't be fetched, lacks a target, does not fit the earlier adapter, or the
            config asks for what Unsloth would do otherwise than serving.
    """
    _check(config, choices)
    from unsloth import FastLanguageModel

    try:
        base, _ = FastLanguageModel.from_pretrained(**load_arguments(config, choices))
    except (OSError, ValueError) as error:
        raise cannot_load("the model", config.model, error) from error
    check_targets(base, config)
    model = FastLanguageModel.get_peft_model(base, **adapter_arguments(config, base.config.num_hidden_layers))
    if config.adapter is not None:
        load_earlier(model, config)
    return model


def _check(config: TrainConfig, choices: Choices) -> None:
    from transformers import AutoConfig

    if ranks.is_sharded():
        raise UserError("Unsloth trains whole models, and this launch shards them", "set backend: peft")
    if choices.packing and config.chat_template == "gemma2":
        raise UserError(
            "Unsloth's attention for Gemma 2 does not keep packed examples apart",
            "set packing: false, or backend: peft",
        )
    try:
        context = AutoConfig.from_pretrained(source(config.model)).max_position_embeddings
    except (OSError, ValueError) as error:
        raise cannot_load("the model", config.model, error) from error
    if config.max_length > context:
        raise UserError(
            f"max_length={config.max_length} is over the model's {context} positions: Unsloth would stretch "
            "them (RoPE scaling), and serving would not",
            f"set max_length={context} or less, or backend: peft",
        )


def load_arguments(config: TrainConfig, choices: Choices) -> dict[str, Any]:
    """Arguments of `FastLanguageModel.from_pretrained`."""
    import torch

    return {
        "model_name": source(config.model),
        "use_exact_model_name": True,  # not a 4-bit copy of it by another name, whose weights may differ
        "max_seq_length": config.max_length,
        "dtype": getattr(torch, choices.dtype),
        "load_in_4bit": config.load_in_4bit,  # NF4 with double quantisation, as in sft.backends.peft
        "device_map": {"": choices.placement},
        "use_gradient_checkpointing": _checkpointing(config),
    }


def adapter_arguments(config: TrainConfig, layers: int) -> dict[str, Any]:
    """Arguments of `FastLanguageModel.get_peft_model`, beside the model, of so many blocks (`layers`)."""
    assert config.lora is not None
    return {
        "r": config.lora.r,
        "lora_alpha": config.lora.alpha,
        "lora_dropout": config.lora.dropout,
        "target_modules": list(config.lora.target_modules),
        "layers_to_transform": top_layers(config.lora, layers),
        "use_rslora": config.lora.use_rslora,
        "bias": "none",
        "use_gradient_checkpointing": _checkpointing(config),
        "random_state": config.seed,
        "max_seq_length": config.max_length,
    }


def _checkpointing(config: TrainConfig) -> str | bool:
    """Unsloth's own checkpointing, which moves activations to the CPU's memory."""
    return "unsloth" if config.gradient_checkpointing else False


def model_inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of a forward pass with what Unsloth's needs beside them.

    Packed examples are told apart by `position_ids` (1, tokens) that start anew at 0. Unsloth's attention
    does not look at those, and would let the examples see each other: it needs `packed_seq_lengths`
    (examples,), int32, in tokens. And without `use_cache=False` it would keep keys and values in validation.
    """
    inputs = {**inputs, "use_cache": False}
    if "position_ids" in inputs:
        import torch

        positions = inputs["position_ids"][0]
        starts = (positions == 0).nonzero().squeeze(1)
        end = starts.new_tensor([len(positions)])
        inputs["packed_seq_lengths"] = torch.diff(starts, append=end).int()
    return inputs
