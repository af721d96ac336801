import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.exceptions import TemplateError

from common.chat import FAMILIES, render_text
from tests.common.chat.conversations import checked, conversations
from tests.common.chat.stock_templates import mistral_text, stock_text

SAME_TEXT = ["llama3", "llama3.1", "llama3.2", "qwen2.5", "qwen3"]
RECORDED = json.loads((Path(__file__).parent / "stock" / "mistral-v0.3.json").read_text(encoding="utf-8"))
DIALOGUE = [
    {"role": "system", "content": "Help."},
    {"role": "user", "content": "Where?"},
    {"role": "assistant", "content": "Here."},
    {"role": "user", "content": "Thanks!"},
]


@pytest.mark.parametrize("name", SAME_TEXT)
@checked
@given(messages=conversations(), open_turn=st.booleans())
def test_the_text_is_that_of_the_stock_template(name, messages, open_turn):
    family = FAMILIES[name]
    ours = render_text(family, messages, add_generation_prompt=open_turn)
    assert ours == stock_text(family, messages, add_generation_prompt=open_turn)


@checked
@given(messages=conversations(), open_turn=st.booleans())
def test_gemma2_opens_the_first_user_turn_with_the_system_text(messages, open_turn):
    family = FAMILIES["gemma2"]
    expected = messages
    if messages[0]["role"] == "system":
        joined = messages[0]["content"] + "\n\n" + messages[1]["content"]
        expected = [{"role": "user", "content": joined}, *messages[2:]]
        with pytest.raises(TemplateError, match="System role not supported"):
            stock_text(family, messages)
    ours = render_text(family, messages, add_generation_prompt=open_turn)
    assert ours == stock_text(family, expected, add_generation_prompt=open_turn)


@pytest.mark.parametrize("record", RECORDED)
def test_mistral_text_is_what_the_stock_template_wrote(record):
    assert mistral_text(record["messages"]) == record["text"]


@checked
@given(messages=conversations(ends_with="user"), open_turn=st.booleans())
def test_a_mistral_prompt_is_that_of_the_stock_template(messages, open_turn):
    family = FAMILIES["mistral-v0.3"]
    ours = render_text(family, messages, add_generation_prompt=open_turn)
    assert ours == stock_text(family, messages)


@checked
@given(messages=conversations(ends_with="assistant"))
def test_a_mistral_reply_follows_the_prompt_that_led_to_it(messages):
    """The stock template drops the system text here."""
    family = FAMILIES["mistral-v0.3"]
    expected = stock_text(family, messages[:-1]) + " " + messages[-1]["content"] + "</s>"
    assert render_text(family, messages) == expected
    if messages[0]["role"] != "system":
        assert expected == stock_text(family, messages)


def test_tiny_writes_role_tokens_text_and_end_tokens_only():
    tiny = FAMILIES["tiny"]
    text = "<|bos|><|system|>Help.<|end|><|user|>Where?<|end|><|assistant|>Here.<|end|><|user|>Thanks!<|end|>"
    assert render_text(tiny, DIALOGUE) == text
    assert render_text(tiny, DIALOGUE, add_generation_prompt=True) == text + "<|assistant|>"
    assert render_text(tiny, DIALOGUE[1:2]) == "<|bos|><|user|>Where?<|end|>"


def test_qwen3_has_neither_a_system_turn_nor_thinking_of_its_own():
    text = render_text(FAMILIES["qwen3"], DIALOGUE[1:], add_generation_prompt=True)
    assert text == (
        "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\nHere.<|im_end|>\n"
        "<|im_start|>user\nThanks!<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_the_clock_does_not_change_the_text(name, monkeypatch):
    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2031, 1, 2, tzinfo=tz)

    before = render_text(FAMILIES[name], DIALOGUE)
    monkeypatch.setattr("transformers.utils.chat_template_utils.datetime", Later)
    assert "02 Jan 2031" in stock_text(FAMILIES["llama3.2"], DIALOGUE, date_string=None)
    assert render_text(FAMILIES[name], DIALOGUE) == before
    assert ("Today Date: 26 Jul 2024" in before) == (name in ("llama3.1", "llama3.2"))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(
    ("messages", "tools"),
    [
        (DIALOGUE, [{"type": "function"}]),
        ([*DIALOGUE, {"role": "assistant", "content": None, "tool_calls": [{"function": {}}]}], None),
        ([*DIALOGUE, {"role": "function", "content": "42"}], None),
    ],
)
def test_lists_of_tools_raw_calls_and_other_roles_are_refused(name, messages, tools):
    """An engine renders the template without `normalise`."""
    from transformers.utils.chat_template_utils import render_jinja_template

    with pytest.raises(TemplateError, match=r"not supported|not function"):
        render_jinja_template([messages], chat_template=FAMILIES[name].template, tools=tools)


@pytest.mark.parametrize("name", ["gemma2", "mistral-v0.3"])
def test_a_system_text_is_never_dropped_for_want_of_a_user_turn(name):
    from transformers.utils.chat_template_utils import render_jinja_template

    with pytest.raises(TemplateError, match="user first"):
        render_jinja_template([[DIALOGUE[0], DIALOGUE[2]]], chat_template=FAMILIES[name].template)
