"""The model card: README.md in the artifact's folder, in the form that model hubs show.

It has no dates and no machine in it (metadata.json does), so that equal runs write equal cards.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from common.artifacts import read_manifest
from sft import ranks
from sft.choices import Choices
from sft.config import LoraOptions, TrainConfig
from sft.release.usage import how_to_use

CARD = "README.md"

_LICENCE = "The licence of the base model applies to this model too: read it before you pass the weights on."
_NOT_FOR = (
    "It may state wrong facts, such as prices, dates or terms, in a sure tone. "
    "Evaluate it on tickets of your own before customers read its replies, and keep a way to a person open."
)


def adapter_card(
    config: TrainConfig, choices: Choices, counts: Mapping[str, Any], inputs: Mapping[str, str]
) -> str:
    """The card of what a run has trained.

    `counts` are the recipe's: `train` and `val` are `Examples.summary()`, beside them lie the results.
    `inputs` are the content hashes of what was read, by the config's field names.
    """
    lora = config.lora
    title = config.register_as or "support-assistant"
    what = "A LoRA adapter for" if lora is not None else "All weights fine-tuned, from"
    sections = [
        f"# {title}",
        f"{what} `{config.model}`, trained to answer as a support assistant."
        + (f" {_sentence(config.description)}" if config.description else ""),
        "## How to use it",
        *how_to_use(config),
        "## How it was trained",
        "On the assistant's turns only, end-of-turn token included.",
        _table(("setting", "value"), _settings(config, choices)),
        "## Data",
        *_data(config, counts, inputs),
        "## Results",
        *_results(counts),
        "## Intended use and limits",
        f"It answers customers' questions in the manner of the tickets it has learned from. {_NOT_FOR}",
        _personal_data(config),
        "## Licence",
        _LICENCE,
    ]
    library, tag = ("peft", "lora") if lora is not None else ("transformers", "full-fine-tuning")
    return _front_matter(config.model, library, tag) + _joined(sections)


def merged_card(base: str, dtype: str, adapter_hash: str) -> str:
    """The card of an adapter merged into its base; `adapter_hash` is the adapter's content hash."""
    sections = [
        "# Merged support assistant",
        f"`{base}` in {dtype}, with a LoRA adapter merged into its weights by `python -m sft.merge`. "
        f"The adapter's content hash is `{adapter_hash}`; its own card says how it was trained, on what, and "
        "with which results.",
        "Tokenizer and chat template lie in this folder: an engine finds them by itself.",
        "## Intended use and limits",
        _NOT_FOR,
        "## Licence",
        _LICENCE,
    ]
    return _front_matter(base, "transformers", "merged") + _joined(sections)


def _front_matter(base: str, library: str, tag: str) -> str:
    fields = {
        "base_model": base,
        "library_name": library,
        "pipeline_tag": "text-generation",
        "tags": ["customer-support", "sft", tag],
    }
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)}---\n\n"


def _settings(config: TrainConfig, choices: Choices) -> Iterable[tuple[str, object]]:
    yield from _method(config.lora)
    yield "base weights", "4 bits (NF4, double quantisation)" if config.load_in_4bit else choices.dtype
    if config.qat is not None:
        groups = f" in groups of {config.qat.group_size}" if config.qat.weights == "int4" else ""
        yield "quantisation-aware training", f"{config.qat.weights}{groups}"
    yield "computed in", f"{choices.dtype}, on {choices.device}, by {choices.backend} ({choices.attention})"
    if config.adapter is not None:
        yield "began from", "an earlier adapter"
    yield "chat template", config.chat_template
    yield "max_length", f"{config.max_length:,} tokens{', packed' if choices.packing else ''}"
    processes = ranks.world_size()
    batch = config.effective_batch_size * processes
    yield "batch", f"{batch} {'packed rows' if choices.packing else 'examples'} a step"
    if config.max_steps is None:
        yield "num_train_epochs", f"{config.num_train_epochs:g}"
    else:
        yield "max_steps", config.max_steps
    warmup = f"{config.lr_scheduler_type}, {config.warmup_ratio:.0%} warm-up"
    yield "learning_rate", f"{config.learning_rate:g} ({warmup})"
    yield "weight_decay, max_grad_norm", f"{config.weight_decay:g}, {config.max_grad_norm:g}"
    yield "seed, sampler_seed", f"{config.seed}, {config.sampler_seed}"


def _method(lora: LoraOptions | None) -> Iterable[tuple[str, object]]:
    if lora is None:
        yield "trained", "all weights"
        return
    names = [name for name, used in (("rsLoRA", lora.use_rslora), ("DoRA", lora.use_dora)) if used]
    yield "trained", " and ".join(names) or "LoRA"
    yield "r, alpha, dropout", f"{lora.r}, {lora.alpha}, {lora.dropout:g}"
    yield "adapters on", ", ".join((*lora.target_modules, *lora.target_parameters))
    yield "blocks", "all" if lora.top_layers is None else f"the last {lora.top_layers}"


def _data(config: TrainConfig, counts: Mapping[str, Any], inputs: Mapping[str, str]) -> Iterable[str]:
    columns = ("split", "examples", "tokens", "trained on", "cut in parts", "lost their end", "dropped")
    yield _table(columns, [_split(name, counts[name]) for name in ("train", "val")])
    yield (
        "Tokens trained on are the assistant's; the loss leaves out all others. Conversations over "
        "max_length are cut between exchanges; an exchange over it loses its end."
    )
    yield f"Content hash of the dataset: `{inputs['dataset']}`."
    if replay := counts["train"].get("replay"):
        yield (
            f"Of the training examples, {replay['examples']:,} ({replay['share']:.1%}) are replayed from an "
            f"older dataset, against forgetting; its content hash: `{inputs['replay_dataset']}`."
        )


def _split(name: str, summary: Mapping[str, Any]) -> tuple[str, ...]:
    share = summary["supervised_tokens"] / max(summary["tokens"], 1)
    return (
        name,
        f"{summary['examples']:,}",
        f"{summary['tokens']:,}",
        f"{share:.0%}",
        f"{summary['cut']:,}",
        f"{summary['truncated']:,}",
        _by_name(summary["dropped"]) or "0",
    )


def _results(counts: Mapping[str, Any]) -> Iterable[str]:
    rows = [_change("validation loss", counts["base_eval_loss"], counts["best_eval_loss"])]
    if "replay_best_eval_loss" in counts:
        older = counts["replay_base_eval_loss"], counts["replay_best_eval_loss"]
        rows.append(_change("validation loss on the older dataset", *older))
    yield _table(("", "before", "after", "change"), rows)
    yield (
        f"In nats a trained token, after {counts['steps']:,} steps; the weights are those of the checkpoint "
        "with the lowest validation loss. The loss says how likely the tickets' own replies are, not how "
        "good the model's are."
    )
    if alerts := counts.get("alerts"):
        yield f"Alerts during training: {_by_name(alerts)} (`alerts.jsonl`)."


def _change(name: str, before: float, after: float) -> tuple[str, ...]:
    return name, f"{before:.3f}", f"{after:.3f}", f"{after / before - 1:+.1%}"


def _personal_data(config: TrainConfig) -> str:
    settings = read_manifest(config.dataset).config
    if settings.get("pii"):
        return (
            "Personal data in the tickets was replaced by placeholders before training. What the detectors "
            "have missed, the model may repeat."
        )
    if "pii" in settings:
        return "Personal data was left in the dataset (`pii: null`): the model may repeat it."
    return "The dataset does not say whether personal data was taken out of it: the model may repeat some."


def _by_name(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    columns = list(columns)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _joined(sections: Iterable[str]) -> str:
    return "\n\n".join(sections) + "\n"
