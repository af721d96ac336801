"""Long conversations: nothing of them is lost silently, and every example is one that serving could see."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.chat import FAMILIES, Message, ToolCall, normalise, render_conversations
from sft.data.cutting import cut, split_exchanges
from sft.data.examples import IGNORE, Examples, render_rows

STABLE = [name for name, family in FAMILIES.items() if family.prefix_stable]
checked = settings(max_examples=15, deadline=None)

WORDS = ("Where is it?", "box", " two  spaces ", "12345", "\n\n", "注文", "<|eot_id|>", "e\u0301")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join).filter(str.strip)


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Up to six exchanges, some with calls of tools, maybe with a system message and a last question."""
    turns = [{"role": "system", "content": draw(TEXTS)}] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 6))):
        turns.append({"role": "user", "content": draw(TEXTS)})
        for _ in range(draw(st.integers(0, 2))):
            turns.append({"role": "assistant", "content": ToolCall("find", {"text": draw(TEXTS)}).line})
            turns.append({"role": "tool", "content": draw(TEXTS)})
        turns.append({"role": "assistant", "content": draw(TEXTS)})
    if draw(st.booleans()):
        turns.append({"role": "user", "content": draw(TEXTS)})
    return normalise(turns)


def trained_turns(examples: list[Any]) -> list[tuple[int, ...]]:
    """The ids of each run of trained tokens."""
    runs: list[list[int]] = []
    for example in examples:
        before = False
        for token, trained in zip(example.input_ids, example.trained, strict=True):
            if trained and not before:
                runs.append([])
            if trained:
                runs[-1].append(token)
            before = trained
    return [tuple(run) for run in runs]


@pytest.mark.parametrize("name", FAMILIES)
@checked
@given(messages=conversations(), max_length=st.integers(20, 200))
def test_every_assistant_turn_is_trained_once_and_parts_are_renderings(
    tokenizers: dict[str, Any], name: str, messages: list[Message], max_length: int
) -> None:
    family, tokenizer = FAMILIES[name], tokenizers[name]
    [whole] = render_conversations(tokenizer, family, [messages])
    parts = cut(tokenizer, family, messages, max_length)
    assert trained_turns(parts) == trained_turns(whole)

    system, exchanges = split_exchanges(messages)
    numbers = range(len(exchanges))
    whole_exchanges = {
        (start, end): [*system, *(turn for exchange in exchanges[start : end + 1] for turn in exchange)]
        for start in numbers
        for end in numbers[start:]
    }
    groups = render_conversations(tokenizer, family, list(whole_exchanges.values()))
    rendered = dict(zip(whole_exchanges, (group[-1] for group in groups), strict=True))
    assert all(part in rendered.values() for part in parts)
    singles = [rendered[number, number] for number in numbers]
    assert all(len(part.input_ids) <= max_length or part in singles for part in parts)


@pytest.mark.parametrize("name", FAMILIES)
@checked
@given(messages=st.lists(conversations(), min_size=1, max_size=3), max_length=st.integers(8, 120))
def test_every_trained_token_is_in_an_example_or_counted_as_lost(
    tokenizers: dict[str, Any], name: str, messages: list[list[Message]], max_length: int
) -> None:
    rows = [{"id": number, "messages": one} for number, one in enumerate(messages)]
    whole = render_rows(rows, tokenizers[name], FAMILIES[name], 10**6, what="rows")
    examples = render_rows(rows, tokenizers[name], FAMILIES[name], max_length, what="rows")
    assert examples.supervised + examples.lost == whole.supervised
    assert max(examples.lengths, default=0) <= max_length
    assert examples.truncated or not (examples.lost or examples.dropped)
    assert set(examples.dropped) <= {"no_trained_token"}


def load(tokenizers: dict[str, Any], name: str, messages: list[dict[str, str]], max_length: int) -> Examples:
    rows = [{"id": "long", "messages": messages}]
    return render_rows(rows, tokenizers[name], FAMILIES[name], max_length, what="rows")


LONG = [{"role": "system", "content": "You help."}] + [
    turn
    for number in range(10)
    for turn in (
        {"role": "user", "content": f"Question {number}?"},
        {"role": "assistant", "content": f"Answer {number}."},
    )
]


@pytest.mark.parametrize("name", STABLE)
def test_a_long_conversation_becomes_parts_that_each_begin_with_the_system_text(
    tokenizers: dict[str, Any], name: str
) -> None:
    whole = load(tokenizers, name, LONG, 10**6)
    [length] = whole.lengths
    examples = load(tokenizers, name, LONG, length // 2)
    assert (examples.cut, examples.parts, examples.truncated, examples.lost) == (1, len(examples), 0, 0)
    assert len(examples) in (3, 4) and examples.row_ids == ["long"] * len(examples)
    texts = [tokenizers[name].decode(ids) for ids in examples.input_ids]
    assert all("You help." in text for text in texts)
    questions = [f"Question {number}?" for number in range(10)]
    assert [question in text for question in questions for text in texts].count(True) == 10
    assert max(examples.lengths) > length // 2 - length // 8, "as many exchanges as fit"


def test_where_prompts_change_an_example_loses_its_oldest_exchanges(tokenizers: dict[str, Any]) -> None:
    tokenizer = tokenizers["mistral-v0.3"]
    whole = load(tokenizers, "mistral-v0.3", LONG, 10**6)
    limit = whole.lengths[3]
    examples = load(tokenizers, "mistral-v0.3", LONG, limit)
    assert (examples.cut, examples.parts, examples.truncated, examples.lost) == (1, 10, 0, 0)
    assert examples.labels[:4] == whole.labels[:4], "short ones are as they were"
    last = tokenizer.decode(examples.input_ids[-1])
    assert last.startswith("<s>[INST] Question 6?") and "You help.\n\nQuestion 9?" in last
    assert limit - 15 < examples.lengths[-1] <= limit


def test_an_exchange_that_is_too_long_by_itself_loses_its_end_and_that_is_counted(
    tokenizers: dict[str, Any],
) -> None:
    long_reply = [*LONG[:2], {"role": "assistant", "content": "Answer " * 50}, *LONG[3:5]]
    examples = load(tokenizers, "tiny", long_reply, 40)
    assert (len(examples), examples.truncated, examples.cut, examples.parts) == (2, 1, 1, 2)
    assert examples.lengths[0] == 40 and examples.labels[0][-1] != IGNORE and examples.lost > 50
    long_question = [{"role": "user", "content": "Question " * 50}, *LONG[2:5]]
    examples = load(tokenizers, "tiny", long_question, 40)
    assert (len(examples), examples.truncated, examples.dropped) == (1, 1, {"no_trained_token": 1})
    assert examples.lost == load(tokenizers, "tiny", LONG[:3], 40).supervised, "the reply's tokens"


def test_an_exchange_goes_to_all_that_answers_it() -> None:
    turns = [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": '{"name": "find", "arguments": {}}'},
        {"role": "tool", "content": "shop"},
        {"role": "assistant", "content": "In the shop."},
        {"role": "user", "content": "Thanks."},
        {"role": "assistant", "content": "Bye."},
        {"role": "user", "content": "Wait!"},
    ]
    system, exchanges = split_exchanges(turns)
    assert system == [] and [len(one) for one in exchanges] == [4, 2]
