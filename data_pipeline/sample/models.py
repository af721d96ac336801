"""The shapes of the texts in `content/`.

A field of variants is a block of text with one template a line (see `grammar`).
"""

import re
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from data_pipeline.sample.grammar import Template, parse

Tone = Literal["question", "problem"]
Intent = Literal[
    "product_discovery",
    "product_question",
    "recommendation",
    "faq",
    "order_tracking",
    "return_request",
    "promotion",
    "checkout_help",
    "escalation",
    "chitchat",
]
Feeling = Literal["frustration", "satisfaction", "urgency", "confusion", "churn_risk"]
"""What a line expresses; a message whose lines express none of them is `neutral`."""

FEELINGS: tuple[str, ...] = get_args(Feeling)
_LABELS = re.compile(r"\[([a-z_ ]+)\] +")


def _lines(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [parse(line.strip()) for line in value.splitlines() if line.strip()]


def _labelled_lines(value: Any) -> Any:
    """Lines that may begin with what they express: `[frustration urgency] Where IS it?`."""
    if not isinstance(value, str):
        return value
    return [_labelled(line.strip()) for line in value.splitlines() if line.strip()]


def _labelled(line: str) -> Template:
    match = _LABELS.match(line)
    if match is None:
        return parse(line)
    if unknown := sorted(set(match[1].split()) - set(FEELINGS)):
        raise ValueError(f"unknown feeling {', '.join(unknown)}; there are {', '.join(FEELINGS)}")
    return replace(parse(line[match.end() :]), feelings=tuple(match[1].split()))


def _words(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _parsed(value: Any) -> Any:
    return parse(str(value)) if isinstance(value, str | int) else value


def _stripped_lines(value: Any) -> Any:
    return [line.strip() for line in value.splitlines()] if isinstance(value, str) else value


Variants = Annotated[tuple[Template, ...], BeforeValidator(_lines)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Names = Annotated[tuple[str, ...], BeforeValidator(_stripped_lines)]
AgentLines = Annotated[Variants, Field(min_length=3)]
CustomerLines = Annotated[Variants, Field(min_length=3)]
LabelledLines = Annotated[tuple[Template, ...], BeforeValidator(_labelled_lines)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Number(Model):
    """A number that is drawn from `low` to `high`, or computed: `{value: shipping.free_minimum - cart}`.

    Bounds and values are names and integers with `+`, `-` and `*`, worked from left to right.
    """

    low: int | str | None = None
    high: int | str | None = None
    value: int | str | None = None


SlotValue = Annotated[Template | Number, BeforeValidator(_parsed)]


class Series(Model):
    title: str
    nick: str
    publisher: str
    genre: str
    demographic: str
    volumes: int


class People(Model):
    first_names: Words
    japanese_first_names: Words
    last_names: Words
    mail_domains: Words
    streets: Names
    towns: Names
    agents: Names


class Empathy(Model):
    question: AgentLines
    problem: Variants
    ask: AgentLines
    denied: AgentLines


class Lines(Model):
    question: Variants
    problem: Variants


class Mood(Model):
    weights: dict[Tone, float]
    typo_rate: float
    shout_rate: float
    good_rating: float
    greeting: CustomerLines
    lead: Lines
    tail: Lines
    empathy: Empathy
    thanks: CustomerLines
    unhappy: CustomerLines


class Phrases(Model):
    """Lines that fit any conversation."""

    agent_greeting: Variants
    chat_greeting: Variants
    agent_found: Variants
    agent_wait: Variants
    customer_more: Variants
    second_lead: Variants
    second_answer_lead: Variants
    aside_lead: Variants
    aside_answer_lead: Variants
    close_happy: Variants
    close_unhappy: Variants
    close_japanese: Variants
    accept_refusal: Variants
    japanese_aside: Variants
    japanese_greeting: Variants
    japanese_tail: Variants
    japanese_thanks: Variants
    japanese_unhappy: Variants
    sign_off: Variants
    agent_signature: Variants
    quote_header: Variants
    note: Variants


class Need(Model):
    """Something the agent has to know: said at once (`inline`), or asked for."""

    inline: CustomerLines
    ask: AgentLines
    reply: CustomerLines


class Exchange(Model):
    """The agent asks, the customer replies."""

    ask: AgentLines
    reply: CustomerLines


class FollowUp(Model):
    """The customer comes back to an answer, and the agent answers again.

    A `reply` takes up what the agent offered, an `objection` doubts it: both stand right behind the answer.
    """

    kind: Literal["question", "reply", "objection"] = "question"
    user: CustomerLines
    agent: AgentLines


class Aside(Model):
    """A second question that fits behind any conversation; its answer stands in `article`."""

    article: str
    user: CustomerLines
    agent: AgentLines


class Situation(Model):
    """Why a customer writes, and how such conversations go.

    `needs` names entries of `needs.yaml`. `cases` are sets of slots that belong together, of which one is
    taken; a case may hold an `outcome` of its own. `held_out` keeps the situation out of training. Openers
    may be labelled with the feelings that they express.
    """

    name: str
    article: str
    intent: Intent
    tone: Tone
    outcome: Literal["solved", "denied"] = "solved"
    held_out: bool = False
    needs: tuple[str, ...] = ()
    cases: tuple[dict[str, SlotValue], ...] = ()
    slots: dict[str, SlotValue] = {}
    subjects: CustomerLines
    openers: Annotated[LabelledLines, Field(min_length=6)]
    japanese: LabelledLines = ()
    clarify: tuple[Exchange, ...] = ()
    answers: Annotated[Variants, Field(min_length=4)]
    follow: Annotated[tuple[FollowUp, ...], Field(min_length=2)]


class Article(Model):
    id: str
    title: str
    topic: str
    body: Template
