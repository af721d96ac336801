"""Every format gives the same pair; what is none is refused with its reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignment.pairs.formats import Pair, PairError, read_pair
from common.chat import awaits_reply, normalise

ASKED = [{"role": "user", "content": "Where is my box?"}]
GOOD = [{"role": "assistant", "content": "On its way."}]
BAD = [{"role": "assistant", "content": "No idea."}]
FORMATS: dict[str, dict[str, Any]] = {
    "conversational": {"prompt": ASKED, "chosen": GOOD, "rejected": BAD},
    "conversational, prompt within": {"chosen": ASKED + GOOD, "rejected": ASKED + BAD},
    "both": {"prompt": ASKED, "chosen": ASKED + GOOD, "rejected": ASKED + BAD},
    "plain": {"prompt": "Where is my box?", "chosen": "On its way.", "rejected": " No idea.\n"},
    "a text and lists": {"prompt": "Where is my box?", "chosen": ASKED + GOOD, "rejected": ASKED + BAD},
    "transcript": {
        "chosen": "\n\nHuman: Where is my box?\n\nAssistant: On its way.",
        "rejected": "\n\nHuman: Where is my box?\n\nAssistant: No idea.",
    },
}


@pytest.mark.parametrize("name", FORMATS)
def test_all_formats_give_the_same_pair(name: str) -> None:
    pair = read_pair(FORMATS[name], "a/1")
    assert pair == Pair("a/1", ASKED, "On its way.", "No idea.")  # type: ignore[arg-type]
    assert read_pair(pair.row(), "a/1") == pair, "what is written is read again"


def test_transcripts_of_several_turns() -> None:
    start = "\n\nHuman: Hi\n\nAssistant: Hello!\n\nHuman: Say:\n\nno\n\nAssistant:"
    pair = read_pair({"chosen": f"{start} No.", "rejected": f"{start} Assistant: what?"}, "1")
    assert [(m["role"], m["content"]) for m in pair.prompt] == [
        ("user", "Hi"),
        ("assistant", "Hello!"),
        ("user", "Say:\n\nno"),
    ]
    assert (pair.chosen, pair.rejected) == ("No.", "Assistant: what?")


def test_a_greeting_of_the_assistant_is_left_out_and_a_system_message_stays() -> None:
    system = [{"role": "system", "content": "You help."}]
    greeting = [{"role": "assistant", "content": "What can I get you?"}]
    pair = read_pair({"prompt": system + greeting + ASKED, "chosen": GOOD, "rejected": BAD}, "1")
    assert pair.prompt == system + ASKED


def test_a_prompt_may_end_in_what_a_tool_has_answered() -> None:
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "find", "arguments": "{}"}}]}
    prompt = [*ASKED, call, {"role": "tool", "content": "{}"}]
    assert read_pair({"prompt": prompt, "chosen": GOOD, "rejected": BAD}, "1").prompt[-1]["role"] == "tool"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "not_an_object"),
        ({"prompt": "a", "chosen": "b"}, "no_rejected"),
        ({"prompt": "a", "rejected": "b"}, "no_chosen"),
        ({"chosen": "b", "rejected": "c"}, "no_prompt"),
        ({"prompt": "a", "chosen": " \n", "rejected": "c"}, "empty_chosen"),
        ({"prompt": "a", "chosen": "b", "rejected": ""}, "empty_rejected"),
        ({"prompt": "a", "chosen": [], "rejected": "c"}, "empty_chosen"),
        ({"prompt": "a", "chosen": 1, "rejected": "c"}, "bad_chosen"),
        ({"prompt": " ", "chosen": "b", "rejected": "c"}, "prompt_empty_content"),
        ({"prompt": ASKED + GOOD, "chosen": "b", "rejected": "c"}, "prompt_ends_with_assistant"),
        ({"prompt": GOOD, "chosen": "b", "rejected": "c"}, "prompt_no_messages"),
        ({"prompt": ASKED, "chosen": ASKED, "rejected": BAD}, "chosen_is_no_reply"),
        ({"prompt": ASKED, "chosen": ["On its way."], "rejected": BAD}, "chosen_is_no_reply"),
        ({"chosen": ASKED + GOOD, "rejected": BAD}, "prompt_mismatch"),
        ({"prompt": "Another one", "chosen": ASKED + GOOD, "rejected": ASKED + BAD}, "prompt_mismatch"),
        (
            {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: c\n\nAssistant: d"},
            "prompt_mismatch",
        ),
        ({"prompt": "a", "chosen": "\ud800", "rejected": "c"}, "chosen_bad_unicode"),
    ],
)
def test_what_is_no_pair_is_refused_with_its_reason(row: Any, reason: str) -> None:
    with pytest.raises(PairError) as caught:
        read_pair(row, "1")
    assert caught.value.reason == reason


values = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["\n\nHuman: a\n\nAssistant: b", "user"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "prompt"]), inner, max_size=3)
    ),
    max_leaves=6,
)
messages = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "user", "assistant", "tool", "?"]),
            "content": st.text(max_size=4),
        }
    ),
    max_size=4,
)
sides = values | messages | st.just("a reply")


@given(st.dictionaries(st.sampled_from(["prompt", "chosen", "rejected", "id"]), sides) | values)
def test_whatever_comes_is_a_pair_or_refused(row: Any) -> None:
    try:
        pair = read_pair(row, "1")
    except PairError as error:
        assert error.reason
        return
    assert awaits_reply(pair.prompt) and normalise(pair.prompt) == pair.prompt
    assert pair.chosen.strip() and pair.rejected.strip()
