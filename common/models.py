"""Load a base model, with or without a LoRA adapter, for scoring and generation.

check(model, adapter)                                 # cheap: what is missing is said before torch loads
model, tokenizer = load(model, adapter=adapter, family=FAMILIES["llama3.1"])
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from common.chat import Family, load_tokenizer
from common.console import choice, warn
from common.errors import UserError, cannot_load

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerBase

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Device = Literal["auto", "cpu", "cuda"]
Attention = Literal["flash_attention_2", "sdpa", "eager"]


def check(model: str, adapter: Path | None = None) -> None:
    """Say what would keep `load` from working, without importing torch; a hub's model is not looked up.

    Warns when the adapter was trained on another base.

    Raises:
        UserError: a folder is missing, or is not what it should be.
    """
    folder = local_folder(model)
    if folder is not None and not (folder / "config.json").is_file():
        if (folder / "adapter_config.json").is_file():
            raise UserError(
                f"'{model}' is an adapter", "give it as adapter, and the base it was trained on as model"
            )
        what = f"'{model}' holds no config.json" if folder.is_dir() else f"no such model folder: '{model}'"
        raise UserError(what, "run the stage that writes it, or give a model's name on the hub")
    if adapter is not None:
        _check_adapter(model, adapter)


def local_folder(model: str) -> Path | None:
    """The folder that `model` means, which may be missing; None for a name on the hub.

    'out/tiny_base' could be both. It is a folder as soon as 'out' is one.
    """
    path = Path(model).expanduser()
    looks_local = path.is_absolute() or model.startswith((".", "~")) or len(path.parts) > 2
    return path if looks_local or path.exists() or (len(path.parts) == 2 and path.parent.is_dir()) else None


def load(
    model: str,
    *,
    adapter: Path | None = None,
    family: Family,
    dtype: Dtype = "auto",
    device: Device = "auto",
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Load `model` (a folder or a name on the hub) in evaluation mode, with its tokenizer.

    The tokenizer is the base's, with and without an adapter, so that figures of both are over the same
    tokens. In float32 the adapter is merged into the weights: faster, and equal up to rounding. In 16 bits it
    stays beside them, as it is served: merging would round what training has learned.

    Raises:
        UserError: a folder is missing, the hub can't be reached, the adapter does not fit the model.
    """
    check(model, adapter)
    import torch

    device_name, dtype_name = _choose(device, dtype)
    tokenizer = load_tokenizer(source(model), family)
    loaded = load_weights(model, family, getattr(torch, dtype_name))
    if adapter is not None:
        loaded = _with_adapter(loaded, model, adapter, merge=dtype_name == "float32")
    return loaded.to(device_name).eval().requires_grad_(False), tokenizer


def load_weights(
    model: str,
    family: Family,
    dtype: "torch.dtype",
    *,
    device: str | None = None,
    quantization: "BitsAndBytesConfig | None" = None,
    attention: Attention = "sdpa",
) -> "PreTrainedModel":
    """Load the weights of `model`, onto `device` at once where it is given.

    Raises:
        UserError: there is no such model, or the hub can't be reached.
    """
    from transformers import AutoModelForCausalLM

    try:
        loaded: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            source(model),
            dtype=dtype,
            device_map={"": device} if device else None,
            quantization_config=quantization,
            # Only the eager kernel applies Gemma 2's soft cap on attention scores; others silently do not.
            attn_implementation="eager" if family.name == "gemma2" else attention,
        )
    except (OSError, ValueError) as error:
        raise cannot_load("the model", model, error) from error
    return loaded


def source(model: str) -> str:
    """What to give to transformers for `model`: its folder, or its name on the hub."""
    return str(local_folder(model) or model)


def _choose(device: Device, dtype: Dtype) -> tuple[str, str]:
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        choice("device", device, "a GPU is there" if device == "cuda" else "no GPU is there")
    elif device == "cuda" and not torch.cuda.is_available():
        raise UserError("device is cuda, but no GPU can be used", "set device to auto or cpu")
    if dtype == "auto":
        dtype, why = "float32", "on a CPU: exact, and bfloat16 was slower in scoring without AMX"
        if device == "cuda":
            has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
            dtype, why = (
                ("bfloat16", "the GPU computes it") if has_bf16 else ("float16", "the GPU lacks bf16")
            )
        choice("dtype", dtype, why)
    return device, dtype


def _with_adapter(loaded: "PreTrainedModel", model: str, adapter: Path, *, merge: bool) -> "PreTrainedModel":
    from peft import PeftConfig, get_peft_model

    problem = ""
    try:
        config = PeftConfig.from_pretrained(str(adapter))
        config.base_model_name_or_path = None  # `check` has compared it, and PEFT would warn again
        peft_model = get_peft_model(loaded, config)
        result = peft_model.load_adapter(str(adapter), "default")
        if result.missing_keys or result.unexpected_keys:
            missing, unexpected = len(result.missing_keys), len(result.unexpected_keys)
            problem = (
                f"{missing} of the model's LoRA weights are missing there, {unexpected} are for other layers"
            )
    except (OSError, RuntimeError, ValueError) as error:
        problem = str(error).splitlines()[0]
    if problem:
        raise UserError(
            f"the adapter '{adapter}' does not fit the model '{model}': {problem}",
            "give the base that it was trained on",
        )
    # Without merging, this is the same class of model with the adapter's layers inside.
    return peft_model.merge_and_unload() if merge else peft_model.get_base_model()


def _check_adapter(model: str, adapter: Path) -> None:
    try:
        trained_on = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
    except (OSError, ValueError, KeyError):
        raise UserError(
            f"'{adapter}' is no adapter: it has no adapter_config.json that names a base",
            "give the folder that 'python -m sft.train' wrote",
        ) from None
    if trained_on and not _same_model(trained_on, model):
        warn(f"the adapter '{adapter}' was trained on '{trained_on}', and is used on '{model}'")


def _same_model(one: str, other: str) -> bool:
    folders = [local_folder(name) for name in (one, other)]
    if None in folders:
        return one == other
    return folders[0].resolve() == folders[1].resolve()  # type: ignore[union-attr]
