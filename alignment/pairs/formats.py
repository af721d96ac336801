"""The formats that preference data come in, read into one.

- TRL's conversational: `prompt`, `chosen` and `rejected` are lists of messages; or without `prompt`, and then
  both sides hold the whole conversation.
- Plain: `prompt`, `chosen` and `rejected` are texts.
- Transcripts (Anthropic's hh-rlhf): both sides are texts of `Human:` and `Assistant:` turns.
- Mixtures of these: a text as prompt and lists as sides (UltraFeedback).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from common.chat import Message, MessageError, awaits_reply, normalise

Side = Literal["chosen", "rejected"]
SIDES: tuple[Side, Side] = ("chosen", "rejected")

_TURN = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}


@dataclass
class Pair:
    """A conversation up to a reply, and two of them. Texts are as `common.chat.normalise` leaves them."""

    id: str
    prompt: list[Message]
    chosen: str
    rejected: str
    meta: dict[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """The line of the artifact: TRL's conversational format, with `id` and `meta`."""
        return {
            "id": self.id,
            "prompt": self.prompt,
            "chosen": [{"role": "assistant", "content": self.chosen}],
            "rejected": [{"role": "assistant", "content": self.rejected}],
            "meta": self.meta,
        }

    @property
    def users_words(self) -> str:
        """What the customer says, turn by turn."""
        return "\n".join(message["content"] for message in self.prompt if message["role"] == "user")


class PairError(ValueError):
    """A row that is no pair. `reason` is stable; the text names no content."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


def read_pair(raw: object, identity: str) -> Pair:
    """Read a row of any of the formats.

    Turns of the assistant before the customer's first are left out: no template has a place for them.

    Raises:
        PairError: a side or the prompt is missing or empty, the sides answer different prompts, the prompt
            ends in an assistant turn, or a conversation is none (see `common.chat.MessageError`).
    """
    if not isinstance(raw, dict):
        raise PairError("not_an_object", "a line must be a JSON object")
    contexts, replies = [], []
    for side in SIDES:
        context, reply = _split(_messages(raw.get(side), "assistant", side), side)
        contexts.append(context)
        replies.append(reply)
    given = _messages(raw["prompt"], "user", "prompt") if raw.get("prompt") is not None else None
    prompt = _checked_prompt(_common(given, contexts))
    chosen, rejected = (_checked_reply(reply, side) for reply, side in zip(replies, SIDES, strict=True))
    return Pair(identity, prompt, chosen, rejected)


def _messages(value: object, role: str, what: str) -> list[Any]:
    if value is None:
        raise PairError(f"no_{what}", f"there is no '{what}'")
    if isinstance(value, str):
        return _transcript(value) if _TURN.match(value) else [{"role": role, "content": value}]
    if isinstance(value, list):
        if not value:
            raise PairError(f"empty_{what}", f"'{what}' has no message")
        return value
    raise PairError(f"bad_{what}", f"'{what}' is neither a text nor a list of messages")


def _transcript(text: str) -> list[dict[str, str]]:
    """Turns of `\\n\\nHuman: ...` and `\\n\\nAssistant: ...`; an empty one stays, and is refused later."""
    parts = _TURN.split(text)[1:]
    return [
        {"role": _ROLES[name], "content": content.strip()}
        for name, content in zip(parts[::2], parts[1::2], strict=True)
    ]


def _split(messages: Sequence[Any], side: Side) -> tuple[list[Any], Any]:
    """The conversation that a side brings along, and its reply."""
    *context, reply = messages
    if not isinstance(reply, dict) or reply.get("role") != "assistant":
        raise PairError(f"{side}_is_no_reply", f"'{side}' does not end in an assistant turn")
    return context, reply


def _common(given: list[Any] | None, contexts: Sequence[list[Any]]) -> list[Any]:
    """The prompt on which all agree that say one."""
    said = [context for context in contexts if context]
    if given is not None:
        said.append(given)
    if not said:
        raise PairError("no_prompt", "neither 'prompt' nor the sides say what is answered")
    if given is None and len(said) == 1:
        raise PairError("prompt_mismatch", "one side has a conversation, the other has none")
    if any(_turns(other) != _turns(said[0]) for other in said[1:]):
        raise PairError("prompt_mismatch", "the sides do not answer the same conversation")
    return given or said[0]


def _turns(messages: Sequence[Any]) -> list[Any]:
    return [
        (message.get("role"), str(message.get("content")).strip()) if isinstance(message, dict) else message
        for message in messages
    ]


def _checked_prompt(messages: list[Any]) -> list[Message]:
    system = messages[:1] if _role(messages[0]) == "system" else []
    turns = messages[len(system) :]
    while turns and _role(turns[0]) == "assistant":
        turns = turns[1:]
    try:
        prompt = normalise([*system, *turns])
    except MessageError as error:
        raise PairError(f"prompt_{error.reason}", "the prompt is no conversation") from None
    if not awaits_reply(prompt):
        raise PairError("prompt_ends_with_assistant", "there is nothing to reply to")
    return prompt


def _role(message: object) -> object:
    return message.get("role") if isinstance(message, dict) else None


def _checked_reply(reply: Any, side: Side) -> str:
    try:
        return normalise([{"role": "user", "content": "?"}, reply])[-1]["content"]
    except MessageError as error:
        reason = f"empty_{side}" if error.reason == "empty_content" else f"{side}_{error.reason}"
        raise PairError(reason, f"'{side}' is no reply") from None
