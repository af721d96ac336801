"""A reply is a conversation in JSON, or rejected with a reason; nothing is repaired."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.generation import Reply
from data_pipeline.synthetic.reply import ReplyError, read_reply
from tests.data_pipeline.synthetic.writing import as_json, conversation

GOOD = as_json("Where is it?", "On its way.")


def read(text: str, finish_reason: str = "stop") -> list[dict[str, str]]:
    return read_reply(Reply(text, 1, 1, finish_reason))


@pytest.mark.parametrize(
    "text", [GOOD, f"```json\n{GOOD}\n```", f"```\n{GOOD}\n```", GOOD.replace("{", " {", 1)]
)
def test_one_json_object_is_a_conversation_also_in_a_code_block(text: str) -> None:
    assert read(text) == conversation("Where is it?", "On its way.")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I'm sorry, I can't help with that.", "no_json"),
        (f"Sure! {GOOD}", "no_json"),
        (f"{GOOD} I hope that helps.", "no_json"),
        (f"```json\n{GOOD}", "no_json"),
        (GOOD[:-3], "no_json"),
        ("[]", "no_json"),
        ('{"messages": [], "messages": []}', "no_json"),
        ("{}", "bad_form"),
        ('{"messages": []}', "bad_order"),
        ('{"messages": "hello"}', "bad_form"),
        ('{"messages": ["hello"]}', "bad_form"),
        (json.dumps({"messages": conversation("Hi", "Ho"), "topic": "x"}), "bad_form"),
        ('{"messages": [{"role": "user"}]}', "bad_form"),
        ('{"messages": [{"role": "user", "content": "a", "name": "b"}]}', "bad_form"),
        (as_json("Where is it?"), "bad_order"),
        (as_json("Where?", "There.", "Thanks"), "bad_order"),
        (json.dumps({"messages": conversation("Hi", "Ho")[::-1]}), "bad_order"),
        (json.dumps({"messages": [{"role": ["user"], "content": "a"}] * 2}), "bad_order"),
        (as_json("Where is it?", "  "), "empty_content"),
        (
            '{"messages": [{"role": "user", "content": 7}, {"role": "assistant", "content": "a"}]}',
            "bad_message",
        ),
        (as_json("\ud800", "Yes."), "bad_unicode"),
    ],
)
def test_anything_else_is_rejected(text: str, reason: str) -> None:
    with pytest.raises(ReplyError) as error:
        read(text)
    assert error.value.reason == reason


def test_what_was_cut_or_never_came_is_rejected() -> None:
    with pytest.raises(ReplyError, match="cut at max_new_tokens") as cut:
        read(GOOD, "length")
    assert cut.value.reason == "cut"
    with pytest.raises(ReplyError, match="http_429: rate_limit") as missing:
        read_reply(Reply.failed("http_429: rate_limit"))
    assert missing.value.reason == "no_reply"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip), min_size=1))
def test_any_texts_come_back_stripped_or_are_rejected_for_their_number(texts: list[str]) -> None:
    if len(texts) % 2:
        with pytest.raises(ReplyError) as error:
            read(as_json(*texts))
        assert error.value.reason == "bad_order"
    else:
        assert [message["role"] for message in read(as_json(*texts))] == ["user", "assistant"] * (
            len(texts) // 2
        )


@given(st.text())
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    with pytest.raises(ReplyError):
        read(text)
