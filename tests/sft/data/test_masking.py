"""What of a conversation with tools is trained, in every family."""

from typing import Any

import pytest

from common.chat import FAMILIES, ToolCall
from sft.data.examples import IGNORE, Examples, render_rows

CALL = ToolCall("find_order", {"number": "A-17"}).line
MESSAGES = [
    {"role": "system", "content": "You help."},
    {"role": "user", "content": "Where is my order?"},
    {"role": "assistant", "content": "One moment.\n" + CALL},
    {"role": "tool", "content": "the shop has it"},
    {"role": "assistant", "content": "It is in the shop."},
    {"role": "user", "content": "Please send it."},
    {"role": "assistant", "content": CALL.replace("find", "send")},
    {"role": "tool", "content": "done"},
    {"role": "assistant", "content": "It is on its way."},
    {"role": "user", "content": "Thank you."},
    {"role": "assistant", "content": "Gladly."},
]
REPLIES = [turn["content"] for turn in MESSAGES if turn["role"] == "assistant"]

pytestmark = pytest.mark.parametrize("name", FAMILIES)


def examples_of(tokenizers: dict[str, Any], name: str, max_length: int = 10**6) -> Examples:
    rows = [{"id": "tools", "messages": MESSAGES}]
    return render_rows(rows, tokenizers[name], FAMILIES[name], max_length, what="rows")


def trained_texts(tokenizer: Any, examples: Examples) -> list[str]:
    """The text of each run of trained tokens."""
    texts = []
    for labels in examples.labels:
        run: list[int] = []
        for label in [*labels, IGNORE]:
            if label != IGNORE:
                run.append(label)
            elif run:
                texts.append(tokenizer.decode(run))
                run = []
    return texts


def test_calls_and_replies_are_trained_to_their_end_of_turn(tokenizers: dict[str, Any], name: str) -> None:
    family = FAMILIES[name]
    texts = trained_texts(tokenizers[name], examples_of(tokenizers, name))
    assert [text.strip() for text in texts] == [reply + family.end_of_turn for reply in REPLIES]


def test_what_is_not_the_assistants_is_never_trained(tokenizers: dict[str, Any], name: str) -> None:
    trained = "".join(trained_texts(tokenizers[name], examples_of(tokenizers, name)))
    others = [turn["content"] for turn in MESSAGES if turn["role"] != "assistant"]
    assert not [text for text in others if text in trained]
    shown = tokenizers[name].decode(examples_of(tokenizers, name).input_ids[-1])
    assert all(text in shown for text in others), "but the assistant sees all of it"


def test_a_trained_token_is_its_own_label(tokenizers: dict[str, Any], name: str) -> None:
    examples = examples_of(tokenizers, name)
    for ids, labels in zip(examples.input_ids, examples.labels, strict=True):
        assert all(label in (token, IGNORE) for token, label in zip(ids, labels, strict=True))
        assert labels[0] == IGNORE, "nothing comes before the first token"


def test_cutting_changes_nothing_of_it(tokenizers: dict[str, Any], name: str) -> None:
    whole = examples_of(tokenizers, name)
    cut = examples_of(tokenizers, name, max(whole.lengths) - 1)
    assert cut.cut == 1 and not cut.truncated
    assert trained_texts(tokenizers[name], cut) == trained_texts(tokenizers[name], whole)
