"""Messages to token ids and the trained-token mask, in one pass.

    family = FAMILIES["llama3.1"]
    tokenizer = load_tokenizer("meta-llama/Llama-3.1-8B-Instruct", family)
    [[example]] = render_conversations(tokenizer, family, [messages])   # training
    prompt_ids = render_prompt(tokenizer, family, messages)             # serving

The template writes the text and, by its `{% generation %}` marks, says which characters are the
assistant's. The text is tokenized once, whole; a token is trained if its characters lie in a marked span.
So the ids in front of a trained turn are the ids of the prompt that is served at that turn:
`tests/common/chat/test_render.py` proves it for every family.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.chat.families import Family
from common.chat.messages import Message, MessageError, awaits_reply, normalise
from common.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Span = tuple[int, int]
"""Characters [start, end) of a text."""


@dataclass(frozen=True)
class Rendered:
    """A training example: `trained[i]` says whether the loss counts `input_ids[i]` as a target."""

    input_ids: list[int]
    trained: list[bool]


def render_text(family: Family, messages: object, *, add_generation_prompt: bool = False) -> str:
    """Return the text of a conversation; `add_generation_prompt` opens an assistant turn at its end.

    Raises:
        MessageError: the conversation can't be used (see `normalise`).
    """
    texts, _ = _apply_template(family, [normalise(messages)], add_generation_prompt=add_generation_prompt)
    return texts[0]


def render_prompt(tokenizer: "PreTrainedTokenizerBase", family: Family, messages: object) -> list[int]:
    """Return the ids of the prompt that asks for a reply to `messages`.

    Raises:
        MessageError: the conversation can't be used (see `normalise`), or its last turn is the assistant's.
    """
    conversation = normalise(messages)
    if not awaits_reply(conversation):
        raise MessageError("last_not_user", "there is nothing to reply to")
    texts, _ = _apply_template(family, [conversation], add_generation_prompt=True)
    input_ids: list[int] = tokenizer(texts[0], add_special_tokens=False, verbose=False)["input_ids"]
    return input_ids


def render_conversations(
    tokenizer: "PreTrainedTokenizerBase", family: Family, conversations: Sequence[object]
) -> list[list[Rendered]]:
    """Return the training examples of each conversation, in its order.

    One example with all assistant turns trained, where what precedes a turn does not change with what follows
    it (`family.prefix_stable`); otherwise one example for each user turn, with what answers it trained: one
    assistant turn, or several with tools in between. What follows the last assistant turn is left out:
    nothing is learned from it. What tools answer is never trained.

    Raises:
        MessageError: a conversation can't be used. To name the row, call `normalise` where its id is at hand.
        UserError: the tokenizer joins trained and untrained text in one token.
    """
    examples = [_examples(family, normalise(messages, training=True)) for messages in conversations]
    texts, spans = _apply_template(family, [messages for group in examples for messages in group])
    if not texts:
        return []
    encoded = tokenizer(
        texts,
        add_special_tokens=False,
        return_offsets_mapping=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    rendered = (
        Rendered(input_ids, trained_mask(offsets, marked))
        for input_ids, offsets, marked in zip(
            encoded["input_ids"], encoded["offset_mapping"], spans, strict=True
        )
    )
    return [[next(rendered) for _ in group] for group in examples]


def trained_mask(offsets: Sequence[Span], spans: Sequence[Span]) -> list[bool]:
    """Say for each token whether it lies in one of `spans`, which are in order and apart.

    Offsets may leave gaps: byte-level tokenizers trim white space off them, and normalizers drop characters.
    Such characters count for the token that follows.

    Raises:
        UserError: a token lies on both sides of a span's border.
    """
    mask = []
    borders = [border for span in spans for border in span]  # an odd number of them passed: inside a span
    passed = covered = 0
    for start, end in offsets:
        start, covered = min(start, covered), max(end, covered)
        while passed < len(borders) and borders[passed] <= start:
            passed += 1
        if passed < len(borders) and borders[passed] < covered:
            raise UserError(
                f"a token (characters {start} to {covered} of a text) holds both trained and untrained text",
                fix="use the tokenizer that belongs to the chat family, with its special tokens as they were",
            )
        mask.append(passed % 2 == 1)
    return mask


def _examples(family: Family, messages: list[Message]) -> list[list[Message]]:
    ends: dict[int, int] = {}  # behind the last assistant turn that answers the n-th user turn
    users = 0
    for index, message in enumerate(messages):
        users += message["role"] == "user"
        if message["role"] == "assistant":
            ends[users] = index + 1
    return [messages[:end] for end in (list(ends.values())[-1:] if family.prefix_stable else ends.values())]


def _apply_template(
    family: Family, conversations: list[list[Message]], *, add_generation_prompt: bool = False
) -> tuple[list[str], list[list[Span]]]:
    """The texts, and for each the spans between `{% generation %}` marks."""
    from transformers.utils.chat_template_utils import render_jinja_template

    texts, spans = render_jinja_template(
        conversations,
        chat_template=family.template,
        return_assistant_tokens_mask=True,
        add_generation_prompt=add_generation_prompt,
    )
    return texts, spans
