"""Conversations over `max_length` tokens, cut between exchanges.

An exchange is a user turn and all that answers it: calls, what tools say to them, replies. A conversation
becomes several examples, each the system message and consecutive whole exchanges, so that every reply is
trained once, after a prompt that serving could send. In families whose prompt changes with later turns an
example trains one reply already: a long one loses its oldest exchanges instead.
"""

from itertools import pairwise
from typing import TYPE_CHECKING

from common.chat import Family, Message, Rendered, normalise, render_conversations

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Exchange = list[Message]


def cut(
    tokenizer: "PreTrainedTokenizerBase", family: Family, messages: object, max_length: int
) -> list[Rendered]:
    """Return the examples of a conversation, none over `max_length` tokens unless a single exchange is.

    Raises:
        MessageError: the conversation can't be used (see `common.chat.normalise`).
    """
    system, exchanges = split_exchanges(messages)
    if family.prefix_stable:
        parts = _consecutive(tokenizer, family, system, exchanges, max_length)
    else:
        parts = _latest(tokenizer, family, system, exchanges, max_length)
    conversations = [_joined(system, part) for part in parts]
    # The last example of a part is the whole of it; those before it (one a reply) are of other parts.
    return [group[-1] for group in render_conversations(tokenizer, family, conversations)]


def split_exchanges(messages: object) -> tuple[list[Message], list[Exchange]]:
    """Return the system message, if there is one, and the exchanges; a last one without a reply is left out.

    Raises:
        MessageError: the conversation can't be used (see `common.chat.normalise`).
    """
    turns = normalise(messages, training=True)
    system = [turns.pop(0)] if turns[0]["role"] == "system" else []
    starts = [index for index, turn in enumerate(turns) if turn["role"] == "user"]
    exchanges = [turns[start:end] for start, end in pairwise([*starts, len(turns)])]
    return system, [one for one in exchanges if any(turn["role"] == "assistant" for turn in one)]


def _consecutive(
    tokenizer: "PreTrainedTokenizerBase",
    family: Family,
    system: list[Message],
    exchanges: list[Exchange],
    max_length: int,
) -> list[list[Exchange]]:
    """Fill one part after the other with as many exchanges as it holds, but at least one."""
    parts = []
    while exchanges:
        [[rest]] = render_conversations(tokenizer, family, [_joined(system, exchanges)])
        fitting = sum(length <= max_length for length in _lengths(rest, exchanges))
        parts.append(exchanges[: max(fitting, 1)])
        exchanges = exchanges[max(fitting, 1) :]
    return parts


def _lengths(rendered: Rendered, exchanges: list[Exchange]) -> list[int]:
    """How many tokens the example would have if it ended with the first exchange, with the second, ...

    Read from the mask: each assistant turn is a run of trained tokens, and what closes the last turn (a line
    feed in some families) closes each of them.
    """
    borders = pairwise([*rendered.trained, False])
    ends = [index + 1 for index, (here, following) in enumerate(borders) if here and not following]
    closing = len(rendered.input_ids) - ends[-1]
    last_turn, lengths = -1, []
    for exchange in exchanges:
        last_turn += sum(turn["role"] == "assistant" for turn in exchange)
        lengths.append(ends[last_turn] + closing)
    return lengths


def _latest(
    tokenizer: "PreTrainedTokenizerBase",
    family: Family,
    system: list[Message],
    exchanges: list[Exchange],
    max_length: int,
) -> list[list[Exchange]]:
    """For each exchange, itself and as many of those before it as fit."""
    [whole] = _example_lengths(tokenizer, family, [_joined(system, exchanges)])
    alone = _example_lengths(tokenizer, family, [_joined(system, [one]) for one in exchanges])
    parts = []
    for last in range(len(exchanges)):
        # `whole[first] - alone[first]` is what the exchanges before `first` take.
        fits = (whole[last] - whole[first] + alone[first][0] <= max_length for first in range(last))
        first = next((first for first, fit in enumerate(fits) if fit), last)
        parts.append(exchanges[first : last + 1])
    return parts


def _example_lengths(
    tokenizer: "PreTrainedTokenizerBase", family: Family, conversations: list[list[Message]]
) -> list[list[int]]:
    groups = render_conversations(tokenizer, family, conversations)
    return [[len(example.input_ids) for example in group] for group in groups]


def _joined(system: list[Message], exchanges: list[Exchange]) -> list[Message]:
    return [*system, *(turn for exchange in exchanges for turn in exchange)]
