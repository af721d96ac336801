"""A conversation as the score sees it: what was asked, and which reply has to answer it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from datatrove.data import Document

from common.chat import Message, without_calls
from data_pipeline.quality.sentences import core

_QUOTED = re.compile(r"(?m)^>.*\n?|^(?:On .{3,80} wrote:|-+ ?Original Message ?-+)\s*$\n?")


@dataclass(frozen=True)
class Turn:
    """A reply, with the question before it.

    Attributes:
        place: index of the reply in the dialogue's `spoken`.
        question: the customer's words since the reply before, without quoted mail; "" where the agent began.
        reply: as it stands.
        core: its sentences that say something.
    """

    place: int
    question: str
    reply: str
    core: tuple[str, ...]

    @cached_property
    def text(self) -> str:
        """What of the reply is worth an embedding: its core, or all of it if it has none."""
        return " ".join(self.core) or self.reply


@dataclass(frozen=True)
class Dialogue:
    """A cleaned conversation.

    Attributes:
        messages: in order.
        cut: what the customer wrote after the last reply.
        fields: what else the row says, such as status and csat.
        source: the name of the row's source.
        language: the build's code, None where it is not known.
    """

    messages: Sequence[Message]
    cut: Sequence[Message] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    language: str | None = None

    @cached_property
    def spoken(self) -> list[Message]:
        """What was said: messages without quoted mail and tool calls, with what tools have answered."""
        clean: dict[str, Callable[[str], str]] = {"user": without_quotes, "assistant": without_calls}
        return [
            {"role": message["role"], "content": clean.get(message["role"], str)(message["content"])}
            for message in self.messages
            if message["role"] != "system"
        ]

    @cached_property
    def turns(self) -> list[Turn]:
        turns: list[Turn] = []
        asked: list[str] = []
        for place, message in enumerate(self.spoken):
            content = message["content"]
            if message["role"] == "user":
                asked.append(content)
            elif message["role"] == "assistant" and content.strip():
                turns.append(Turn(place, "\n".join(asked), content, tuple(core(content))))
                asked = []
        return turns

    @cached_property
    def main(self) -> Turn | None:
        """The reply that stands for the conversation: that with the longest core, the first of equals."""
        return max(self.turns, key=lambda turn: sum(map(len, turn.core)), default=None)

    @cached_property
    def text(self) -> str:
        """All that customer and agent say."""
        return "\n".join(said["content"] for said in self.spoken if said["role"] != "tool")

    @cached_property
    def opening(self) -> str:
        """The customer's first words."""
        return next((turn.question for turn in self.turns if turn.question), "")

    @cached_property
    def last_words(self) -> str | None:
        """What the customer said last, if that was after a reply."""
        answered = False
        last: str | None = None
        for message in (*self.messages, *self.cut):
            if message["role"] == "assistant":
                answered = True
            elif message["role"] == "user" and answered:
                last = without_quotes(message["content"])
        return last


def dialogue_of(document: Document) -> Dialogue:
    """A cleaned document as the score sees it."""
    metadata = document.metadata
    return Dialogue(
        messages=metadata["messages"],
        cut=metadata.get("cut", ()),
        fields=metadata.get("fields", {}),
        source=metadata["source"],
        language=metadata.get("language"),
    )


def without_quotes(text: str) -> str:
    """A mail without the lines that it quotes: nobody says them anew."""
    return _QUOTED.sub("", text).strip()
