"""Replies from a model, wherever it runs: one protocol for local models and for URLs.

    generator: Generator = LocalGenerator(...)   # common.generation.local
    generator: Generator = HttpGenerator(...)    # common.generation.http
    replies = generator.generate(conversations, Sampling(max_new_tokens=128))

Importing it loads neither torch nor openai.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import Field

from common.chat import Message
from common.config import Config

JsonSchema = Mapping[str, Any]
"""What structured output keeps to. Providers support different parts of the standard; this is understood by
all: every key required, no others allowed, numbers listed by `enum`, no limits on lengths."""


class Sampling(Config):
    """How a reply is drawn; the defaults are greedy, so the same model gives the same reply.

    `max_new_tokens` includes the end-of-turn token. `stop` are texts that end a reply and are not part of it.
    """

    max_new_tokens: int = Field(default=256, gt=0)
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """A reply, or the reason why there is none.

    `text` is None exactly when `error` says why: such a conversation is *unscored*. An empty `text` is a
    reply of the model and counts as one. White space around it is dropped, as `common.chat` does with every
    message. `finish_reason` is "stop" (the model ended its turn), "length" (cut at `max_new_tokens`) or
    "error".
    """

    text: str | None
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    error: str | None = None

    @classmethod
    def failed(cls, error: str, prompt_tokens: int = 0, completion_tokens: int = 0) -> "Reply":
        """`error` is for logs and reports: it must not hold the conversation's text."""
        return cls(None, prompt_tokens, completion_tokens, "error", error)


class Generator(Protocol):
    """Answers conversations. One that fails gets a `Reply` with `error`; the others are never lost by it.

    A prompt that leaves less than `max_new_tokens` of the context is an error, here as in vLLM: what to cut
    from a conversation is for the caller to say, who knows which turns matter.
    """

    @property
    def name(self) -> str:
        """What reports call it."""

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[Reply]:
        """One reply to the last user turn of each conversation, in the order of `conversations`."""
