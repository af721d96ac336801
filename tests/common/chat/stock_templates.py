"""What the models' stock templates write: see `stock/README.md` for where that is known from."""

import importlib.util
from functools import cache
from pathlib import Path

from common.chat import Family, Message

_TRL_FILES = {
    "llama3": "llama3.jinja",
    "llama3.1": "llama3_1.jinja",
    "llama3.2": "llama3_2.jinja",
    "qwen2.5": "qwen2_5.jinja",
    "qwen3": "qwen3_instruct_2507.jinja",
    "gemma2": "gemma.jinja",
}


@cache
def stock_template(family: str) -> str | None:
    """The Jinja source that trl ships for `family`, or None; read as a file, since importing trl is slow."""
    if family not in _TRL_FILES:
        return None
    spec = importlib.util.find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "chat_templates" / _TRL_FILES[family]).read_text(encoding="utf-8")


def stock_text(
    family: Family,
    messages: list[Message],
    *,
    add_generation_prompt: bool = False,
    date_string: str | None = "26 Jul 2024",
) -> str:
    """Render `messages` as the stock template would; with no `date_string`, it takes the date it wants."""
    if family.name == "mistral-v0.3":
        return mistral_text(messages)
    from transformers.utils.chat_template_utils import render_jinja_template

    template = stock_template(family.name)
    assert template is not None
    [text], _ = render_jinja_template(
        [messages],
        chat_template=template,
        add_generation_prompt=add_generation_prompt,
        bos_token=family.bos_token,
        eos_token=family.end_of_turn,
        **({"date_string": date_string} if date_string else {}),
    )
    return text


def mistral_text(messages: list[Message]) -> str:
    """What Mistral v0.3's stock template writes, told in Python; `stock/mistral-v0.3.json` checks it."""
    system, turns = (
        (messages[0]["content"] + "\n\n", messages[1:]) if messages[0]["role"] == "system" else ("", messages)
    )
    text = "<s>"
    for index, message in enumerate(turns):
        if message["role"] == "assistant":
            text += " " + message["content"].strip() + "</s>"
        else:
            is_last_message = index == len(turns) - 1
            text += "[INST] " + (system if is_last_message else "") + message["content"] + "[/INST]"
    return text
