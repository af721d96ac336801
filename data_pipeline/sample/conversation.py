"""A conversation as it is written down, and what is planted in it."""

import random
from dataclasses import dataclass, field
from typing import Literal

from data_pipeline.sample.company import Content
from data_pipeline.sample.contradictions import Misstatement
from data_pipeline.sample.grammar import Piece
from data_pipeline.sample.label_models import BadAnswerKind
from data_pipeline.sample.models import Aside, Situation
from data_pipeline.sample.people import Customer
from data_pipeline.sample.scope import Scope

Speaker = Literal["customer", "agent", "note"]
Channel = Literal["email", "web", "chat"]
Fault = BadAnswerKind | Literal["contradiction"]


@dataclass(frozen=True)
class Plan:
    """What is planted in a conversation.

    `second` is asked for in the opening, too. `fault` is what is wrong with the answer; an answer that is off
    the topic answers `elsewhere`. `second` and `elsewhere` are situations without needs.
    """

    note_rate: float = 0.0
    second: Situation | None = None
    fault: Fault | None = None
    elsewhere: Situation | None = None


@dataclass(frozen=True)
class Message:
    """`misstates`: the message says the planted wrong value."""

    speaker: Speaker
    text: list[Piece]
    misstates: bool = False


@dataclass
class Dialogue:
    """`scope` holds what the slots stand for. `happy` tells how the customer left; None: nothing was said."""

    article: str
    intent: str
    customer: Customer
    scope: Scope
    mood: str
    channel: Channel
    subject: str
    situation: Situation | None = None
    plan: Plan = field(default_factory=Plan)
    messages: list[Message] = field(default_factory=list)
    happy: bool | None = None
    aside: Aside | None = None
    answer_index: int = 0
    misstatement: Misstatement | None = None

    @property
    def agent(self) -> str:
        return self.scope.agents[0]


def draw_channel(rng: random.Random) -> Channel:
    channels: tuple[Channel, ...] = ("email", "web", "chat")
    return rng.choices(channels, (50, 30, 20))[0]


def draw_mood(content: Content, tone: str, rng: random.Random) -> str:
    moods = list(content.moods)
    return rng.choices(moods, [content.moods[name].weights[tone] for name in moods])[0]  # type: ignore[index]
