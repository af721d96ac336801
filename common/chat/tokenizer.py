"""Load a tokenizer for a chat family, or say clearly that it is not one of that family."""

from pathlib import Path
from typing import TYPE_CHECKING

from common.chat.families import FAMILIES, Family
from common.chat.messages import Message, is_control_text
from common.chat.render import render_text
from common.console import warn
from common.errors import UserError, cannot_load

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_tokenizer(name_or_path: str | Path, family: Family) -> "PreTrainedTokenizerBase":
    """Load the tokenizer at a local path or of a hub's name, ready for training in `family`'s format.

    It gets the family's chat template, its end-of-turn token as EOS (generation stops where training taught
    it to), its padding token (never the EOS, else a padding mask could hide the end of a turn) and padding
    on the right; batched generation wants it on the left. Nothing is added to the vocabulary.

    Raises:
        UserError: there is no tokenizer there, or it is not one of the family's.
    """
    from transformers import AutoTokenizer

    try:
        # With mistral-common installed (vLLM brings it), Mistral models would otherwise get a tokenizer
        # that has neither chat templates nor character offsets.
        tokenizer = AutoTokenizer.from_pretrained(str(name_or_path), mistral_format=False)
    except (OSError, ValueError) as error:
        raise cannot_load("a tokenizer from", str(name_or_path), error) from error
    if not tokenizer.is_fast:
        raise UserError(
            f"the tokenizer at '{name_or_path}' is a slow one, which can't tell the characters of a token",
            fix="use one with a tokenizer.json",
        )
    _check_vocabulary(tokenizer, family, str(name_or_path))
    _check_control_text(tokenizer, str(name_or_path))
    _compare_with_own_template(tokenizer, family, str(name_or_path))
    tokenizer.chat_template = family.template
    tokenizer.eos_token = family.end_of_turn
    tokenizer.pad_token = family.pad_token
    tokenizer.padding_side = "right"
    return tokenizer


def _check_vocabulary(tokenizer: "PreTrainedTokenizerBase", family: Family, where: str) -> None:
    known = set(tokenizer.get_added_vocab())
    missing = [token for token in family.special_tokens if token not in known]
    if not missing:
        return
    others = [other for other in FAMILIES.values() if known.issuperset(other.special_tokens)]
    others = [other for other in others if _own_template_agrees(tokenizer, other)] or others
    names = " or ".join(other.name for other in others)
    raise UserError(
        f"the tokenizer at '{where}' has no {', '.join(missing)}, so it is not of the family {family.name}"
        + (f": it looks like {names}" if names else ""),
        fix=f"set the chat family to {names}" if names else f"use a model of one of: {', '.join(FAMILIES)}",
    )


def _check_control_text(tokenizer: "PreTrainedTokenizerBase", where: str) -> None:
    special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    exposed = [token for token in special if not is_control_text(token)]
    if exposed:
        raise UserError(
            f"the tokenizer at '{where}' has special tokens that a customer could type: "
            + ", ".join(exposed[:5]),
            fix="use the model's stock tokenizer, or teach common.chat.messages.disarm those tokens",
        )


def _compare_with_own_template(tokenizer: "PreTrainedTokenizerBase", family: Family, where: str) -> None:
    """Families share vocabularies: nothing would fail, but the model would meet a format new to it."""
    if not tokenizer.chat_template or _own_template_agrees(tokenizer, family):
        return  # without a template it is a base model: any format is new to it
    names = " or ".join(other.name for other in FAMILIES.values() if _own_template_agrees(tokenizer, other))
    warn(
        f"the chat template that comes with the tokenizer at '{where}' writes another text than the family "
        f"{family.name}: set the chat family to {names or 'the one that fits the model'}"
    )


def _own_template_agrees(tokenizer: "PreTrainedTokenizerBase", family: Family) -> bool:
    probe: list[Message] = [
        {"role": "system", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
    ]
    # Without a system message Qwen 2.5 writes one of its own, and Qwen3 none.
    return all(
        _same_text(tokenizer, family, messages)
        for messages in ([probe, probe[1:]] if family.system_role else [probe[1:]])
    )


def _same_text(tokenizer: "PreTrainedTokenizerBase", family: Family, messages: list[Message]) -> bool:
    try:
        own = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024"
        )
    except Exception:  # a template is code of the model's author and may raise anything
        return False
    return bool(own == render_text(family, messages, add_generation_prompt=True))
