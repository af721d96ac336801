"""The shapes of the texts behind labels and planted truth: feelings, bad answers, other languages, attacks.

An entry with several lines is one idea in several wordings: its lines never stand on both sides of a split.
"""

from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.sample.models import (
    AgentLines,
    CustomerLines,
    Feeling,
    Intent,
    LabelledLines,
    Model,
    Tone,
    Words,
)

Sentiment = Literal[Feeling, "neutral"]
BadAnswerKind = Literal["rude", "vague", "blames_customer", "asks_for_secrets", "empty_promise", "off_topic"]
"""How an agent's answer is bad. `off_topic` has no lines: it is the answer to another situation."""

LowQualityKind = Literal["refusal", "prompt_leak", "placeholder", "off_domain", "truncated", "repetition"]
"""What is wrong with a synthetic row. The last two have no lines: they are made from a good row."""

_Feelings = Annotated[tuple[Feeling, ...], Field(max_length=3)]


class FeelingLine(Model):
    """A remark around a request. No `feelings`: it is neutral."""

    feelings: _Feelings = ()
    place: Literal["before", "after"]
    tone: Literal["any"] | Tone = "any"
    lines: CustomerLines


class Everyday(Model):
    """A plain request as most customers put it: one wish in several wordings."""

    intent: Intent
    tone: Tone
    lines: Annotated[LabelledLines, Field(min_length=1)]
    japanese: LabelledLines = ()


class Foreign(Model):
    """A short conversation in a language that is not the shop's."""

    language: str
    article: str
    intent: Intent
    tone: Tone
    feelings: _Feelings = ()
    subjects: CustomerLines
    openers: CustomerLines
    answers: AgentLines
    thanks: CustomerLines


class Attack(Model):
    """A way to make the assistant do what it must not; `family` is the trick that it uses."""

    family: str
    lines: CustomerLines


class Harmless(Model):
    """Messages that hold the words of attacks and mean no harm."""

    kind: str
    lines: CustomerLines


class Guard(Model):
    attacks: tuple[Attack, ...]
    harmless: tuple[Harmless, ...]


class HandwrittenMessage(Model):
    """A message that nobody generated. `hard` names what makes it a hard case, if it is one."""

    text: str
    intent: Intent
    second_intent: Intent | None = None
    sentiment: Annotated[tuple[Sentiment, ...], Field(min_length=1)]
    language: str = "en"
    hard: Words = ()


class HandwrittenGuard(Model):
    text: str
    label: Literal["attack", "harmless"]
    family: str
    language: str = "en"


class Question(Model):
    """A question that the article answers."""

    article: str
    question: str


class Handwritten(Model):
    """What was written by hand, one by one, without the generator's texts."""

    messages: tuple[HandwrittenMessage, ...]
    guard: tuple[HandwrittenGuard, ...]
    questions: tuple[Question, ...]
