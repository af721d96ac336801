"""Go on from an earlier adapter of the same base: check that it fits the config, and load its weights."""

import json
import re
from pathlib import Path
from typing import Any

from common.artifacts import input_hash, read_manifest
from common.console import choice
from common.errors import UserError
from common.models import local_folder
from sft.config import TrainConfig

_BLOCK = re.compile(r"^layers\.\d+\.")
_NOT_IN_CONFIG = ("rank_pattern", "alpha_pattern", "modules_to_save")


def check_earlier(config: TrainConfig) -> None:
    """Check that `config.adapter`, if there is one, belongs to `config.model` and is what `config.lora` says.

    Imports no torch. Raises:
        UserError: it is no adapter, is of another base, or differs from `lora` (which says what to set).
    """
    if config.adapter is None:
        return
    assert config.lora is not None  # the config has been validated
    saved = _read_config(config.adapter)
    _check_base(config.adapter, config.model, saved)
    if extra := [name for name in _NOT_IN_CONFIG if saved.get(name)]:
        raise UserError(
            f"the adapter '{config.adapter}' has {', '.join(extra)}, which `lora` has no setting for",
            "go on from an adapter that 'python -m sft.train' wrote",
        )
    there = _as_options(saved)
    here = config.lora.model_dump(mode="json")
    different = [name for name in there if _sorted(there[name]) != _sorted(here[name])]
    if different:
        differences = (f"its {name} is {_shown(there[name])}, not {_shown(here[name])}" for name in different)
        raise UserError(
            f"the adapter '{config.adapter}' is not what `lora` says: {'; '.join(differences)}",
            "set " + ", ".join(f"lora.{name}: {_shown(there[name])}" for name in different),
        )


def load_earlier(model: Any, config: TrainConfig) -> None:
    """Give the trainable adapter of `model` (PEFT's "default") the weights of `config.adapter`.

    Raises:
        UserError: weights are missing there, are for other layers, or have another shape.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file

    assert config.adapter is not None
    weights = load_file(config.adapter / "adapter_model.safetensors")
    wanted = get_peft_model_state_dict(model, save_embedding_layers=False)
    problems = {
        "missing": wanted.keys() - weights.keys(),
        "for layers that the config adapts not": weights.keys() - wanted.keys(),
        "of another shape": {
            name for name in wanted.keys() & weights.keys() if wanted[name].shape != weights[name].shape
        },
    }
    if any(problems.values()):
        found = "; ".join(f"{len(names)} {what} ({min(names)})" for what, names in problems.items() if names)
        raise UserError(
            f"the weights of the adapter '{config.adapter}' do not fit: {found}",
            "give the base that it was trained on, and `lora` as its config.yaml has it",
        )
    set_peft_model_state_dict(model, weights)
    choice("earlier adapter", config.adapter, f"its {len(weights)} LoRA matrices are trained on")


def _read_config(adapter: Path) -> dict[str, Any]:
    try:
        saved: dict[str, Any] = json.loads((adapter / "adapter_config.json").read_text())
    except (OSError, ValueError):
        raise UserError(
            f"'{adapter}' is no adapter: it has no readable adapter_config.json",
            "give the folder that 'python -m sft.train' wrote",
        ) from None
    return saved


def _check_base(adapter: Path, model: str, saved: dict[str, Any]) -> None:
    base = saved.get("base_model_name_or_path") or ""
    here, there = local_folder(model), local_folder(base)
    if base == model or (here and there and here.resolve() == there.resolve()):
        return
    # Another folder, maybe of another machine, may hold the same base: the adapter's manifest has its hash.
    if here and read_manifest(adapter).inputs.get("model") == input_hash(here):
        return
    raise UserError(
        f"the adapter '{adapter}' was trained on '{base}', not on '{model}'",
        f"set model: {base}, or choose an adapter of '{model}'",
    )


def _as_options(saved: dict[str, Any]) -> dict[str, Any]:
    """PEFT's config under the names of `sft.config.LoraOptions`; dropout is left out, for it may change.

    So are modules that are given as a pattern, as Unsloth may do: `load_earlier` compares the weights' names.
    """
    modules, parameters = saved.get("target_modules") or [], saved.get("target_parameters") or []
    blocks = saved.get("layers_to_transform") or {
        match[0] for name in parameters if (match := _BLOCK.match(name))
    }
    options = {
        "r": saved["r"],
        "alpha": saved["lora_alpha"],
        "target_modules": modules,
        "target_parameters": list({_BLOCK.sub("", name) for name in parameters}),
        "top_layers": len(blocks) or None,
        "use_rslora": saved.get("use_rslora", False),
        "use_dora": saved.get("use_dora", False),
    }
    return {name: value for name, value in options.items() if not isinstance(value, str)}


def _sorted(value: Any) -> Any:
    return sorted(value) if isinstance(value, (list, tuple)) else value


def _shown(value: Any) -> str:
    """The value as the config's YAML would have it."""
    if isinstance(value, list):
        return f"[{', '.join(sorted(value))}]"
    return json.dumps(value)
