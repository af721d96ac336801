"""Labelled messages: what a customer writes first, with its intent and its sentiments.

A message is a request in the words of a situation, with remarks around it that express feelings or nothing.
Its labels are those of the sentences that were put together.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Piece, Template, join
from data_pipeline.sample.label_models import FeelingLine, Foreign
from data_pipeline.sample.models import FEELINGS, Tone
from data_pipeline.sample.people import Customer, make_customer
from data_pipeline.sample.rates import Rates, is_planted
from data_pipeline.sample.scope import Scope
from data_pipeline.sample.splits import (
    SPLITS,
    Request,
    Split,
    split_everyday,
    split_foreign,
    split_remarks,
    split_requests,
)
from data_pipeline.sample.voice import as_written, ensure_japanese

INTENT_SHARES = {
    "product_discovery": 0.221,
    "recommendation": 0.180,
    "product_question": 0.152,
    "order_tracking": 0.121,
    "faq": 0.080,
    "return_request": 0.070,
    "chitchat": 0.055,
    "promotion": 0.050,
    "checkout_help": 0.041,
    "escalation": 0.030,
}
"""Shares of the intents, from the specification of the intent router."""

SENTIMENT_SHARES: dict[tuple[str, ...], float] = {
    (): 0.45,
    ("frustration",): 0.13,
    ("satisfaction",): 0.125,
    ("urgency",): 0.085,
    ("confusion",): 0.06,
    ("churn_risk",): 0.01,
    ("frustration", "urgency"): 0.035,
    ("frustration", "churn_risk"): 0.03,
    ("frustration", "confusion"): 0.02,
    ("frustration", "satisfaction"): 0.015,
    ("satisfaction", "urgency"): 0.015,
    ("confusion", "urgency"): 0.015,
    ("satisfaction", "confusion"): 0.01,
}
"""Shares of the sets of feelings; the empty one is neutral."""

_PLAIN_REQUESTS, _PLAIN_REMARKS = 0.8, 0.65
"""Shares that are put plainly, as most customers do; the others are a situation's, or implied."""

_OPPOSITE = {"frustration", "satisfaction"}

_OTHER_CUSTOMERS = 20_000_000
"""Numbers of customers that write labelled messages begin here: none of them has a ticket."""


_ByIntent = dict[tuple[Split, str], list[Request]]


@dataclass
class Written:
    """A message before it becomes a row: its text and the truth about it."""

    pieces: list[Piece]
    customer: Customer
    intents: Sequence[str]
    feelings: tuple[str, ...]
    requests: list[str] = field(default_factory=list)

    @property
    def sentiment(self) -> list[str]:
        return [name for name in FEELINGS if name in self.feelings] or ["neutral"]


@dataclass(frozen=True)
class MessageWriter:
    """Writes message `index` of a part; the same seed and index give the same message."""

    content: Content
    seed: int
    rates: Rates

    def write(self, split: Split, index: int) -> Written:
        rng = random.Random(f"{self.seed}:message:{split}:{index}")
        number = _OTHER_CUSTOMERS + len(SPLITS) * index + SPLITS.index(split)
        customer = make_customer(self.content.people, self.seed, number, self._language(split, rng))
        if customer.language not in ("en", "ja-en"):
            entries = [entry for entry in self._foreign[split] if entry.language == customer.language]
            return self._foreign_message(rng.choice(entries), customer, rng)
        intent = rng.choices(list(INTENT_SHARES), list(INTENT_SHARES.values()))[0]
        feelings = rng.choices(list(SENTIMENT_SHARES), list(SENTIMENT_SHARES.values()))[0]
        pool = self._everyday if rng.random() < _PLAIN_REQUESTS else self._requests
        request = rng.choice([r for r in pool[split, intent] if _fitting(r.openers, feelings)])
        second = None
        share = 1 - self.rates.other_language
        if is_planted("multi_intent", f"{split}:{index}", self.rates.multi_intent / share, self.seed):
            others = [
                other
                for other in self._in_passing[split]
                if other.intent != intent and _fitting(other.openers, feelings)
            ]
            second = rng.choice(others)
        return self._message(split, request, second, feelings, customer, rng)

    @cached_property
    def _requests(self) -> _ByIntent:
        return _by_intent(split_requests(self.content.situations))

    @cached_property
    def _everyday(self) -> _ByIntent:
        return _by_intent(split_everyday(self.content.everyday))

    @cached_property
    def _in_passing(self) -> dict[Split, list[Request]]:
        """What may be asked beside something else."""
        return {
            split: [
                request
                for (part, intent), requests in (*self._requests.items(), *self._everyday.items())
                for request in requests
                if part == split and intent != "chitchat"
            ]
            for split in SPLITS
        }

    @cached_property
    def _remarks(self) -> tuple[dict[Split, list[FeelingLine]], dict[Split, list[FeelingLine]]]:
        return split_remarks(self.content.plain_remarks), split_remarks(self.content.implied_remarks)

    @cached_property
    def _foreign(self) -> dict[Split, list[Foreign]]:
        return split_foreign(self.content.foreign)

    def _language(self, split: Split, rng: random.Random) -> str:
        draw, rates = rng.random(), self.rates
        if draw < rates.japanese_mixed:
            return "ja-en"
        languages = sorted({entry.language for entry in self._foreign[split]})
        if languages and draw < rates.japanese_mixed + rates.other_language:
            return rng.choice(languages)
        return "en"

    def _foreign_message(self, entry: Foreign, customer: Customer, rng: random.Random) -> Written:
        scope = Scope(self.content, None, customer, rng)
        pieces = join([scope.say(entry.openers)])
        return Written(pieces, customer, [entry.intent], entry.feelings)

    def _message(
        self,
        split: Split,
        request: Request,
        second: Request | None,
        feelings: tuple[str, ...],
        customer: Customer,
        rng: random.Random,
    ) -> Written:
        phrases, scope = self.content.phrases, Scope(self.content, request.situation, customer, rng)
        opener = _opener(request, feelings, customer, rng)
        opening = scope.expand(opener, by_customer=True)
        expressed = set(opener.feelings)
        before: list[list[Piece]] = []
        behind = [
            scope.say(self.content.needs[need].inline, by_customer=True)
            for need in request.needs
            if rng.random() < 0.4
        ]
        if second:
            beside = Scope(self.content, second.situation, customer, rng, scope.agents)
            other = _opener(second, feelings, customer, rng)
            expressed |= set(other.feelings)
            said = beside.expand(other, by_customer=True)
            behind.append([*scope.say(phrases.second_lead), Piece(" "), *said])
        for remark in self._chosen_remarks(split, request.tone, feelings, expressed, rng):
            (before if remark.place == "before" else behind).append(scope.say(remark.lines, by_customer=True))
        if rng.random() < 0.25:
            before.insert(0, scope.say(self.content.moods["calm"].greeting))
        said_all = ensure_japanese([*before, opening, *behind], self.content, scope, customer)
        loud = {name for name, mood in self.content.moods.items() if mood.shout_rate}
        manners = [name for name in self.content.moods if name not in loud or "frustration" in feelings]
        pieces = as_written(join(said_all, close=True), self.content, customer, rng.choice(manners), rng)
        requests = [request, *([second] if second else [])]
        return Written(pieces, customer, [r.intent for r in requests], feelings, [r.name for r in requests])

    def _chosen_remarks(
        self,
        split: Split,
        tone: Tone,
        feelings: tuple[str, ...],
        expressed: set[str],
        rng: random.Random,
    ) -> list[FeelingLine]:
        """Remarks for the feelings that the requests leave open, and now and then one more."""

        def fitting(feeling: str | None) -> list[FeelingLine]:
            """Those that express `feeling`, or any: first of one sort, plain or implied."""
            first, second = self._remarks if rng.random() < _PLAIN_REMARKS else self._remarks[::-1]
            for parts in (first, second):
                remarks = [
                    remark
                    for remark in parts[split]
                    if _fits(remark.feelings, feelings)
                    and (feeling is None or feeling in remark.feelings)
                    and remark.tone in ("any", tone)
                ]
                if remarks:
                    return remarks
            return []

        chosen: list[FeelingLine] = []
        missing = [name for name in feelings if name not in expressed]
        while missing:
            alone = [r for r in self._remarks[0][split] if r.feelings == (missing[0],) and r.tone == "any"]
            remark = rng.choice(fitting(missing[0]) or alone)
            chosen.append(remark)
            missing = [name for name in missing if name not in remark.feelings]
        if rng.random() < (0.15 if chosen else 0.35) and (more := fitting(None)):
            chosen.append(rng.choice(more))
        return chosen


def _by_intent(parts: dict[Split, list[Request]]) -> _ByIntent:
    return {
        (split, intent): [request for request in requests if request.intent == intent]
        for split, requests in parts.items()
        for intent in INTENT_SHARES
    }


def _opener(request: Request, feelings: tuple[str, ...], customer: Customer, rng: random.Random) -> Template:
    """A request that expresses none but the given feelings, rather one that expresses all of them."""
    fitting = _fitting(request.openers, feelings)
    if customer.mixes_japanese and rng.random() < 0.5:
        fitting = _fitting(request.japanese, feelings) or fitting
    exact = [line for line in fitting if set(line.feelings) == set(feelings)]
    return rng.choice(exact if exact and rng.random() < 0.75 else fitting)


def _fitting(lines: Sequence[Template], feelings: tuple[str, ...]) -> list[Template]:
    return [line for line in lines if _fits(line.feelings, feelings)]


def _fits(expressed: Iterable[str], feelings: Iterable[str]) -> bool:
    """Whether a line with what it expresses may stand in a message with these feelings.

    Praise and a complaint that know nothing of each other read as sarcasm: one line has to express both.
    """
    opposite = set(expressed) & _OPPOSITE
    return set(expressed) <= set(feelings) and (len(opposite) != 1 or not set(feelings) >= _OPPOSITE)
