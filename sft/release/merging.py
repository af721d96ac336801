"""An adapter and its base to one model, checked before it is written."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from common.artifacts import Recipe, is_up_to_date, writing
from common.chat import FAMILIES, Family, load_tokenizer
from common.config import Config
from common.console import choice, quiet_libraries, say
from common.errors import UserError, cannot_load
from common.models import check, load_weights, local_folder, source
from common.provenance import git_commit
from sft.release.card import CARD, merged_card

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_CODE = ("common/models.py", "sft/release/merging.py")


class MergeConfig(Config):
    """What to merge, and where to."""

    adapter: Path
    output: Path
    base: str | None = None
    """None takes the base that the adapter names."""
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"


def merge(config: MergeConfig) -> None:
    """Load, compare, write.

    Raises:
        UserError: there is no adapter, or its base can't be had; or merged, it does not say the same.
    """
    metadata = _metadata(config.adapter)
    base, family = config.base or _base(config.adapter, metadata), FAMILIES[metadata["chat_template"]]
    check(base, config.adapter)
    _spare(config.output, config.adapter, local_folder(base))
    recipe = _recipe(config, base)
    if is_up_to_date(config.output, recipe):
        say(f"{config.output} is up to date")
        return
    quiet_libraries()
    tokenizer = load_tokenizer(config.adapter, family)
    model = _merged(config, base, family, tokenizer, recipe)
    _set_end_of_turn(model, tokenizer)
    with writing(config.output, recipe) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        metadata["created_at"] = datetime.now(UTC).isoformat(timespec="seconds")
        metadata["git_commit"] = git_commit()
        metadata["base_model"], metadata["adapter_hash"] = base, recipe.inputs["adapter"]
        (folder / "metadata.json").write_text(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n")
        settings = config.adapter / "training_args.json"
        if settings.is_file():
            (folder / settings.name).write_bytes(settings.read_bytes())
        (folder / CARD).write_text(merged_card(base, config.dtype, recipe.inputs["adapter"]))
    size = sum(file.stat().st_size for file in config.output.glob("*.safetensors"))
    say(f"wrote {config.output}: {size / 1e9:.2f} GB of weights in {config.dtype}")


def _spare(output: Path, *inputs: Path | None) -> None:
    """Raises UserError when writing `output` would replace what is read, or write into it."""
    for path in (one.resolve() for one in inputs if one is not None):
        if path.is_relative_to(output.resolve()) or output.resolve().is_relative_to(path):
            raise UserError(f"'{output}' would replace '{path}', or lie in it", "choose another --output")


def _metadata(adapter: Path) -> dict[str, Any]:
    """metadata.json of the adapter, which names a chat family."""
    if not adapter.is_dir():
        raise UserError(f"no such folder: '{adapter}'", "give the folder that 'python -m sft.train' wrote")
    if not (adapter / "adapter_config.json").is_file():
        if (adapter / "config.json").is_file():
            raise UserError(
                f"'{adapter}' holds a whole model: it is merged already",
                "use it as it is, as any other model",
            )
        what = f"'{adapter}' is no adapter: it has no adapter_config.json"
        raise UserError(what, "give the folder that 'python -m sft.train' wrote")
    try:
        metadata: dict[str, Any] = json.loads((adapter / "metadata.json").read_text())
        FAMILIES[metadata["chat_template"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"'{adapter}' has no metadata.json that names its chat_template",
            "give the folder that 'python -m sft.train' wrote",
        ) from None
    return metadata


def _base(adapter: Path, metadata: dict[str, Any]) -> str:
    if base := metadata.get("base_model"):
        return str(base)
    try:
        return str(json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"])
    except (ValueError, KeyError):
        raise UserError(f"'{adapter}' does not say what its base is", "name it with --base") from None


def _recipe(config: MergeConfig, base: str) -> Recipe:
    inputs = {"adapter": config.adapter}
    if (folder := local_folder(base)) is not None:
        inputs["base"] = folder
    resolved = config.model_copy(update={"base": base})
    return Recipe.of("model", resolved, inputs=inputs, code=_CODE, volatile=("metadata.json",))


def _merged(
    config: MergeConfig, base: str, family: Family, tokenizer: "PreTrainedTokenizerBase", recipe: Recipe
) -> "PreTrainedModel":
    """The merged model, which says what base and adapter say; how nearly goes to the recipe's counts."""
    import torch

    from sft.release.agreement import compare, log_probabilities, prompts

    choice("base", base, "given" if config.base else "named by the adapter")
    choice("dtype", config.dtype, "of the merged weights; the base is never loaded in 4 bits")
    _refuse_quantised(base)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        loaded = load_weights(base, family, getattr(torch, config.dtype), device=device)
        adapted = _with_adapter(loaded, base, config.adapter)
        inputs = prompts(tokenizer, family)
        before = log_probabilities(adapted, inputs, adapted.disable_adapter())
        unmerged = log_probabilities(adapted, inputs)
        model: PreTrainedModel = adapted.merge_and_unload(safe_merge=True)
    except torch.OutOfMemoryError:
        raise UserError(
            f"the GPU has no room for '{base}' in {config.dtype}",
            "merge on the CPU: CUDA_VISIBLE_DEVICES= python ...",
        ) from None
    except ValueError as error:  # of safe_merge
        raise UserError(f"can't merge '{config.adapter}': {error}", "train it again") from None
    found = compare(log_probabilities(model, inputs), unmerged, before)
    say(
        f"  merged against base and adapter, at {len(before)} positions: log-probabilities differ by at most "
        f"{found.largest:.2g} nats ({found.mean:.2g} on average; the adapter moves them by "
        f"{found.effect:.2g}), {found.equal:.1%} of the most likely tokens are the same"
    )
    found.check(config.dtype)
    recipe.counts |= asdict(found)
    return model


def _refuse_quantised(base: str) -> None:
    from transformers import AutoConfig

    try:
        settings = AutoConfig.from_pretrained(source(base))
    except (OSError, ValueError) as error:
        raise cannot_load("the model", base, error) from error
    if getattr(settings, "quantization_config", None):
        raise UserError(
            f"the weights of '{base}' are quantised: merging into them would round what was trained away",
            "name the same model in 16 bits with --base",
        )


def _with_adapter(loaded: "PreTrainedModel", base: str, adapter: Path) -> "PeftModel":
    from peft import PeftConfig, get_peft_model

    problem = ""
    try:
        settings = PeftConfig.from_pretrained(str(adapter))
        settings.base_model_name_or_path = None  # `check` has compared it, and PEFT would warn again
        model: PeftModel = get_peft_model(loaded, settings)
        result = model.load_adapter(str(adapter), "default")
        if left := len(result.missing_keys) + len(result.unexpected_keys):
            problem = f"{left} weights have no counterpart"
    except (OSError, RuntimeError, ValueError) as error:
        problem = str(error).splitlines()[0]
    if problem:
        raise UserError(
            f"the adapter '{adapter}' does not fit the model '{base}': {problem}",
            "name the base that it was trained on with --base",
        )
    return model.eval()


def _set_end_of_turn(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """Engines stop where training taught the model to, whatever ends a text of the base."""
    for settings in (model.config, model.generation_config):
        settings.eos_token_id = tokenizer.eos_token_id
        settings.pad_token_id = tokenizer.pad_token_id
