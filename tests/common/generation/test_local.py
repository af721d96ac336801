"""Batched replies equal one-by-one replies, and end where a reply of the family ends."""

from pathlib import Path

import pytest

from common.chat import FAMILIES, render_prompt
from common.generation import Reply, Sampling
from common.generation.local import LocalGenerator
from common.models import load
from tests.common.small_models import write_model

TINY = FAMILIES["tiny"]
GREEDY = Sampling(max_new_tokens=24)


def ask(text: str, system: str = "") -> list[dict[str, str]]:
    opening = [{"role": "system", "content": system}] if system else []
    return [*opening, {"role": "user", "content": text}]


CONVERSATIONS = [
    ask("Hello, where is my order?"),
    ask("Refund."),
    ask("注文はどこですか。", system="You are the support of a manga shop. Be kind and short."),
    [*ask("Where is it?"), {"role": "assistant", "content": "It is on its way."}, *ask("Since when? " * 12)],
    ask("Where is my refund, please? I have been waiting for a week."),
    ask("Thank you, that's all."),
    ask("x"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def loaded(folder: Path):
    return load(str(folder), family=TINY, device="cpu")


def generator(loaded, batch_size: int = 4) -> LocalGenerator:
    return LocalGenerator("small", *loaded, TINY, batch_size=batch_size)


def script(monkeypatch, loaded, texts: list[str]) -> None:
    """Make the model say `texts[i]` (special tokens included) to the i-th prompt of a call."""
    model, tokenizer = loaded

    def generate(input_ids, **_):
        import torch

        rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts[: len(input_ids)]]
        width = max(map(len, rows))
        rows = [row + [tokenizer.pad_token_id] * (width - len(row)) for row in rows]
        return torch.cat([input_ids, torch.tensor(rows)], dim=1)

    monkeypatch.setattr(model, "generate", generate)


def test_batches_give_the_tokens_of_one_by_one(loaded):
    one_by_one = generator(loaded, batch_size=1).generate(CONVERSATIONS, GREEDY)
    for batch_size in (3, 16):
        assert generator(loaded, batch_size).generate(CONVERSATIONS, GREEDY) == one_by_one
    assert len({reply.text for reply in one_by_one}) > 3


def test_replies_are_the_argmax_after_the_serving_prompt(loaded):
    import torch

    model, tokenizer = loaded
    replies = generator(loaded).generate(CONVERSATIONS, Sampling(max_new_tokens=6))
    for messages, reply in zip(CONVERSATIONS, replies, strict=True):
        ids = prompt = render_prompt(tokenizer, TINY, messages)
        for _ in range(6):
            with torch.inference_mode():
                best = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
            ids = [*ids, best]
            if best == tokenizer.eos_token_id:
                break
        expected = tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True).strip()
        assert (reply.text, reply.prompt_tokens) == (expected, len(prompt))


def test_a_reply_ends_at_the_end_of_turn(loaded, monkeypatch):
    script(monkeypatch, loaded, [" Hi there.<|end|>no more", "cut here"])
    first, second = generator(loaded).generate([ask("a longer question"), ask("short")], GREEDY)
    assert (first.text, first.finish_reason) == ("Hi there.", "stop")
    assert (second.text, second.finish_reason) == ("cut here", "length")
    tokenizer = loaded[1]
    assert first.completion_tokens == len(
        tokenizer(" Hi there.<|end|>", add_special_tokens=False)["input_ids"]
    )


def test_an_empty_reply_is_a_reply(loaded, monkeypatch):
    script(monkeypatch, loaded, ["<|end|>"])
    [reply] = generator(loaded).generate([ask("Hello?")], GREEDY)
    assert (reply.text, reply.completion_tokens, reply.error) == ("", 1, None)


def test_a_models_own_end_token_ends_a_reply_too(loaded, monkeypatch):
    model, tokenizer = loaded
    other = tokenizer.convert_tokens_to_ids("<|user|>")
    monkeypatch.setattr(model.generation_config, "eos_token_id", [other])
    assert generator(loaded).end_ids == sorted([tokenizer.eos_token_id, other])


def test_stop_texts_end_a_reply_and_are_cut_off(loaded):
    [whole] = generator(loaded).generate(CONVERSATIONS[:1], GREEDY)
    stop = whole.text[5:7]
    [cut] = generator(loaded).generate(CONVERSATIONS[:1], Sampling(max_new_tokens=24, stop=(stop,)))
    assert cut.text == whole.text[: whole.text.index(stop)].strip()
    assert cut.finish_reason == "stop"
    assert cut.completion_tokens < whole.completion_tokens


def test_a_models_own_sampling_defaults_change_nothing(loaded, monkeypatch):
    plain = generator(loaded).generate(CONVERSATIONS, GREEDY)
    monkeypatch.setattr(loaded[0].generation_config, "repetition_penalty", 5.0)
    assert generator(loaded).generate(CONVERSATIONS, GREEDY) == plain


def test_a_seed_fixes_what_is_sampled_and_leaves_the_global_state(loaded):
    import torch

    sampling = Sampling(max_new_tokens=12, temperature=1.5, seed=1)
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    first = generator(loaded).generate(CONVERSATIONS, sampling)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert generator(loaded).generate(CONVERSATIONS, sampling) == first
    other = generator(loaded).generate(CONVERSATIONS, Sampling(max_new_tokens=12, temperature=1.5, seed=2))
    assert other != first
    assert first != generator(loaded).generate(CONVERSATIONS, Sampling(max_new_tokens=12))


def test_one_bad_conversation_never_loses_the_others(loaded):
    long = ask("Where is my order? " * 60)
    asked = [
        CONVERSATIONS[0],
        [],
        [*ask("Hi"), {"role": "assistant", "content": "Hello"}],
        long,
        CONVERSATIONS[1],
    ]
    replies = generator(loaded).generate(asked, GREEDY)
    assert [reply.error.split(":")[0] if reply.error else None for reply in replies] == [
        None, "no_messages", "last_not_user", "too_long", None,
    ]  # fmt: skip
    assert all((reply.text is None) == (reply.error is not None) for reply in replies)
    assert [replies[0], replies[4]] == generator(loaded).generate([asked[0], asked[4]], GREEDY)


def test_the_longest_prompt_that_fits_is_answered(loaded):
    used = len(render_prompt(loaded[1], TINY, CONVERSATIONS[0]))
    fits, too_long = Sampling(max_new_tokens=256 - used), Sampling(max_new_tokens=257 - used)
    assert generator(loaded).generate(CONVERSATIONS[:1], fits)[0].error is None
    assert generator(loaded).generate(CONVERSATIONS[:1], too_long)[0].error == (
        f"too_long: a prompt of {used} tokens and {257 - used} new ones exceed the context of 256"
    )


def test_a_batch_that_does_not_fit_into_memory_is_halved(loaded, monkeypatch):
    import torch

    expected = generator(loaded).generate(CONVERSATIONS[:5], GREEDY)
    model, original = loaded[0], loaded[0].generate

    def generate(input_ids, **settings):
        if len(input_ids) > 1 or input_ids.shape[1] > 60:
            raise torch.OutOfMemoryError
        return original(input_ids=input_ids, **settings)

    monkeypatch.setattr(model, "generate", generate)
    replies = generator(loaded).generate(CONVERSATIONS[:5], GREEDY)
    small = [reply.prompt_tokens <= 60 for reply in expected]
    assert True in small and False in small
    for reply, whole, fits in zip(replies, expected, small, strict=True):
        assert reply == (whole if fits else Reply.failed("out_of_memory", whole.prompt_tokens))


def test_no_conversations(loaded):
    assert generator(loaded).generate([], GREEDY) == []


@pytest.mark.parametrize("name", ["llama3.1", "qwen2.5", "mistral-v0.3", "gemma2"])
def test_every_family_in_batches(name, tmp_path):
    family = FAMILIES[name]
    loaded = load(str(write_model(tmp_path / "model", name, context=512)), family=family, device="cpu")
    one_by_one, batched = (
        LocalGenerator(name, *loaded, family, batch_size=size).generate(
            CONVERSATIONS, Sampling(max_new_tokens=8)
        )
        for size in (1, 8)
    )
    assert batched == one_by_one
    assert all(reply.error is None for reply in batched)
