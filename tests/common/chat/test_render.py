import subprocess
import sys
import unicodedata
from collections import Counter
from itertools import groupby

import pytest
from hypothesis import given

from common.chat import FAMILIES, MessageError, Rendered, render_conversations, render_prompt, render_text
from common.chat.render import trained_mask
from common.errors import UserError
from tests.common.chat.conversations import checked, conversations

DIALOGUE = [
    {"role": "system", "content": "Help."},
    {"role": "user", "content": "Where?"},
    {"role": "assistant", "content": "Here."},
    {"role": "user", "content": "When?"},
    {"role": "assistant", "content": "Now."},
    {"role": "user", "content": "Thanks!"},
]
each_family = pytest.mark.parametrize("name", FAMILIES)


def trained_runs(example: Rendered) -> list[tuple[int, list[int]]]:
    """Where each trained stretch starts, and its ids."""
    runs = []
    for is_trained, group in groupby(range(len(example.trained)), key=example.trained.__getitem__):
        if is_trained:
            positions = list(group)
            runs.append((positions[0], [example.input_ids[position] for position in positions]))
    return runs


def turns_with_history(messages):
    """Each assistant turn, and the messages before it."""
    return [(m, messages[:index]) for index, m in enumerate(messages) if m["role"] == "assistant"]


def as_decoded(name: str, text: str) -> str:
    """What remains of a text after the family's normalizer."""
    if name in ("qwen2.5", "qwen3"):
        return unicodedata.normalize("NFC", text)
    return text.replace("▁", " ") if name in ("mistral-v0.3", "gemma2") else text


@each_family
@checked
@given(messages=conversations())
def test_every_reply_is_trained_after_the_prompt_that_is_served(name, messages, tokenizers):
    """The core promise, for each trained turn: the ids before it, its text, its end, and nothing else."""
    family, tokenizer = FAMILIES[name], tokenizers[name]
    [examples] = render_conversations(tokenizer, family, [messages])
    runs = [(example, *run) for example in examples for run in trained_runs(example)]
    turns = turns_with_history(messages)
    assert len(runs) == len(turns)
    assert len(examples) == (1 if family.prefix_stable else len(turns))
    for (example, start, ids), (reply, history) in zip(runs, turns, strict=True):
        assert example.input_ids[:start] == render_prompt(tokenizer, family, history)
        assert ids[-1] == tokenizer.convert_tokens_to_ids(family.end_of_turn)
        assert tokenizer.decode(ids[:-1]).strip() == as_decoded(name, reply["content"]).strip()


@each_family
@checked
@given(messages=conversations())
def test_there_is_one_bos_and_no_control_token_from_content(name, messages, tokenizers):
    """A conversation has the special tokens of its harmless twin, whatever its messages say."""
    family, tokenizer = FAMILIES[name], tokenizers[name]
    special = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}

    def special_tokens(conversation):
        [examples] = render_conversations(tokenizer, family, [conversation])
        return [Counter(index for index in example.input_ids if index in special) for example in examples]

    found = special_tokens(messages)
    assert found == special_tokens([{**message, "content": "x"} for message in messages])
    for counts in found:
        if family.bos_token is None:
            assert tokenizer.bos_token is None
        else:
            assert counts[tokenizer.convert_tokens_to_ids(family.bos_token)] == 1
        assert tokenizer.pad_token_id not in counts


@each_family
@checked
@given(messages=conversations(ends_with="user"))
def test_an_engine_that_renders_the_template_itself_gets_the_same_ids(name, messages, tokenizers):
    family, tokenizer = FAMILIES[name], tokenizers[name]
    encoded = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, bos_token="<wrong>"
    )
    assert encoded["input_ids"] == render_prompt(tokenizer, family, messages)


@each_family
@checked
@given(messages=conversations(ends_with="assistant"))
def test_the_mask_is_that_of_transformers(name, messages, tokenizers):
    family, tokenizer = FAMILIES[name], tokenizers[name]
    encoded = tokenizer.apply_chat_template(
        messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    example = render_conversations(tokenizer, family, [messages])[0][-1]
    assert example.input_ids == encoded["input_ids"]
    assert example.trained == [bool(mark) for mark in encoded["assistant_masks"]]


@each_family
def test_a_batch_gives_each_conversation_its_own_examples(name, tokenizers):
    family, tokenizer = FAMILIES[name], tokenizers[name]
    batch = [DIALOGUE, DIALOGUE[1:3], DIALOGUE[:3]]
    together = render_conversations(tokenizer, family, batch)
    assert together == [render_conversations(tokenizer, family, [messages])[0] for messages in batch]
    assert render_conversations(tokenizer, family, []) == []


def test_a_prefix_stable_family_trains_all_turns_in_one_example(tokenizers):
    [[example]] = render_conversations(tokenizers["tiny"], FAMILIES["tiny"], [DIALOGUE])
    tokenizer = tokenizers["tiny"]
    trained = [ids for _, ids in trained_runs(example)]
    assert [tokenizer.decode(ids) for ids in trained] == ["Here.<|end|>", "Now.<|end|>"]
    assert tokenizer.decode(example.input_ids) == render_text(FAMILIES["tiny"], DIALOGUE[:5])


def test_mistral_trains_one_example_for_each_turn(tokenizers):
    tokenizer = tokenizers["mistral-v0.3"]
    [examples] = render_conversations(tokenizer, FAMILIES["mistral-v0.3"], [DIALOGUE])
    assert [tokenizer.decode(example.input_ids) for example in examples] == [
        "<s>[INST] Help.\n\nWhere?[/INST] Here.</s>",
        "<s>[INST] Where?[/INST] Here.</s>[INST] Help.\n\nWhen?[/INST] Now.</s>",
    ]
    # The space before a reply is trained: the served prompt ends at [/INST].
    assert [tokenizer.convert_ids_to_tokens(trained_runs(example)[0][1][0])[0] for example in examples] == [
        "▁",
        "▁",
    ]


@pytest.mark.parametrize(("name", "after"), [("qwen2.5", "\n"), ("qwen3", "\n"), ("gemma2", "\n")])
def test_the_newline_after_a_turn_is_not_trained(name, after, tokenizers):
    [[example]] = render_conversations(tokenizers[name], FAMILIES[name], [DIALOGUE[:3]])
    assert tokenizers[name].decode(example.input_ids[-1:]) == after
    assert example.trained[-2:] == [True, False]


def test_unusable_conversations_are_refused(tokenizers):
    tokenizer, tiny = tokenizers["tiny"], FAMILIES["tiny"]
    with pytest.raises(MessageError, match="no_assistant_turn"):
        render_conversations(tokenizer, tiny, [DIALOGUE, DIALOGUE[:2]])
    with pytest.raises(MessageError, match="last_not_user"):
        render_prompt(tokenizer, tiny, DIALOGUE[:3])


def test_trained_mask_takes_trimmed_white_space_for_where_it_stood():
    # "<a> x", the space a token of its own: byte-level tokenizers trim its offsets from (3, 4) to (4, 4).
    offsets = [(0, 3), (4, 4), (4, 5)]
    assert trained_mask(offsets, [(4, 5)]) == [False, False, True]
    assert trained_mask(offsets, [(3, 5)]) == [False, True, True]


def test_trained_mask_keeps_the_bytes_of_one_character_together():
    # Several tokens share the offsets of an emoji.
    assert trained_mask([(0, 1), (1, 2), (1, 2), (2, 3)], [(1, 2)]) == [False, True, True, False]
    assert trained_mask([(0, 1), (1, 3), (1, 2), (3, 4)], [(1, 3)]) == [False, True, True, False]
    assert trained_mask([(0, 1), (1, 2), (2, 3), (3, 4)], [(0, 1), (2, 3)]) == [True, False, True, False]


@pytest.mark.parametrize("offsets", [[(0, 3), (3, 6)], [(0, 2), (2, 5), (5, 6)], [(0, 6)]])
def test_a_token_across_the_border_of_a_span_is_an_error(offsets):
    with pytest.raises(UserError, match="holds both trained and untrained text"):
        trained_mask(offsets, [(2, 4)])


def test_importing_the_package_loads_neither_torch_nor_transformers():
    code = "import sys, common.chat; print(sorted({'torch', 'transformers', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
