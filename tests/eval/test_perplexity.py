"""Scores equal the summed cross-entropy of Transformers' own forward pass."""

from pathlib import Path

import pytest

from common.chat import FAMILIES, render_conversations
from common.errors import UserError
from common.models import load
from eval import perplexity
from eval.perplexity import Score, score
from tests.common.small_models import write_model


def conversation(*texts: str, system: str = "") -> list[dict[str, str]]:
    turns = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]
    return [{"role": "system", "content": system}, *turns] if system else turns


CONVERSATIONS = [
    conversation("Where is my order?", "It is on its way.", "Since when?", "Since Monday, by train."),
    conversation("注文はどこですか。", "明日届きます。", system="You are the support of a manga shop."),
    conversation("Hi", "Hello! How can I help you today?", "Thanks, bye."),
    conversation("May I return volume 3? " * 4, "Yes, within 30 days. " * 3, "And volume 4?", "Yes."),
]


def naive_nll(model, tokenizer, family, messages) -> tuple[float, int]:
    """One example at a time, all logits, the loss of the model's own forward."""
    import torch

    nll, tokens = 0.0, 0
    [examples] = render_conversations(tokenizer, family, [messages])
    for example in examples:
        labels = [
            token if trained else -100
            for token, trained in zip(example.input_ids, example.trained, strict=True)
        ]
        count = sum(example.trained[1:])
        with torch.inference_mode():
            output = model(input_ids=torch.tensor([example.input_ids]), labels=torch.tensor([labels]))
        nll, tokens = nll + float(output.loss.double()) * count, tokens + count
    return nll, tokens


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory):
    family = FAMILIES["tiny"]
    folder = write_model(tmp_path_factory.mktemp("models") / "tiny")
    return *load(str(folder), family=family, device="cpu"), family


def scores(loaded, conversations=CONVERSATIONS, batch_size: int = 3) -> list[Score]:
    return score(*loaded, conversations, batch_size=batch_size, description="")


@pytest.mark.parametrize("name", ["tiny", "llama3.1", "qwen2.5", "mistral-v0.3", "gemma2"])
def test_equal_to_the_models_own_loss(name, tmp_path: Path):
    family = FAMILIES[name]
    loaded = load(str(write_model(tmp_path / "model", name, context=512)), family=family, device="cpu")
    for found, messages in zip(scores((*loaded, family)), CONVERSATIONS, strict=True):
        nll, tokens = naive_nll(*loaded, family, messages)
        assert found.tokens == tokens > 0
        assert found.nll == pytest.approx(nll, rel=1e-6)


def test_batches_and_their_order_change_nothing(tiny):
    one_by_one = scores(tiny, batch_size=1)
    for found, expected in zip(scores(tiny, batch_size=4), one_by_one, strict=True):
        assert found.nll == pytest.approx(expected.nll, rel=1e-6)
    backwards = scores(tiny, CONVERSATIONS[::-1])[::-1]
    assert [found.tokens for found in backwards] == [found.tokens for found in one_by_one]


def test_logits_are_computed_in_parts(tiny, monkeypatch):
    whole = scores(tiny)
    sizes = []
    head = tiny[0].get_output_embeddings()
    monkeypatch.setattr(perplexity, "_LOGITS_AT_ONCE", 5 * tiny[0].config.vocab_size)
    hook = head.register_forward_hook(lambda _module, _args, output: sizes.append(len(output)))
    parts = scores(tiny)
    hook.remove()
    assert max(sizes) == 5
    assert sum(sizes) == sum(found.tokens for found in whole)
    assert [found.nll for found in parts] == pytest.approx([found.nll for found in whole], rel=1e-6)


def test_only_replies_and_their_ends_count(tiny):
    tokenizer = tiny[1]
    [found] = scores(tiny, [conversation("Hi", "Yes.", "A long text that is not scored")])
    assert found.tokens == len(tokenizer("Yes.<|end|>", add_special_tokens=False)["input_ids"])


def test_a_conversation_longer_than_the_context_is_unscored_and_not_cut(tiny):
    long = conversation("Why? " * 300, "Because.")
    first, found, last = scores(tiny, [CONVERSATIONS[0], long, CONVERSATIONS[1]])
    assert (found.nll, found.tokens) == (0.0, 0)
    assert found.unscored.startswith("too_long: ")
    assert "exceed the context of 256" in found.unscored
    assert [first.unscored, last.unscored] == [None, None]
    assert [first.tokens, last.tokens] == [s.tokens for s in scores(tiny)[:2]]


def test_the_longest_conversation_that_fits_is_scored(tiny, monkeypatch):
    model, tokenizer, family = tiny
    [[example]] = render_conversations(tokenizer, family, CONVERSATIONS[:1])
    for context, is_scored in ((len(example.input_ids), True), (len(example.input_ids) - 1, False)):
        monkeypatch.setattr(model.config, "max_position_embeddings", context)
        [found] = scores(tiny, CONVERSATIONS[:1])
        assert (found.unscored is None) == is_scored


def test_a_likelihood_that_is_no_number_is_an_error(tiny):
    import torch

    weight = tiny[0].get_output_embeddings().weight
    kept = weight[7].clone()
    weight[7] = torch.nan
    try:
        with pytest.raises(UserError, match="no number"):
            scores(tiny)
    finally:
        weight[7] = kept
