"""Labelled messages: what a customer writes first, with its intent and its sentiments.

A message is a request, plain or in the words of a situation, with remarks around it that express feelings or
nothing. Its labels are those of the sentences that were put together.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Piece, Template, join
from data_pipeline.sample.label_models import Foreign
from data_pipeline.sample.models import FEELINGS
from data_pipeline.sample.people import Customer, make_customer
from data_pipeline.sample.rates import Rates, draw_language, is_planted
from data_pipeline.sample.remarks import Remarks, fits
from data_pipeline.sample.scope import Scope
from data_pipeline.sample.shares import INTENT_SHARES, SENTIMENT_SHARES
from data_pipeline.sample.splits import (
    SPLITS,
    Request,
    Split,
    split_everyday,
    split_foreign,
    split_requests,
)
from data_pipeline.sample.voice import as_written, ensure_japanese

_PLAIN_REQUESTS = 0.8
"""Share of requests that are put plainly, as most customers do; the others are a situation's."""

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
        languages = sorted({entry.language for entry in self._foreign[split]})
        language = draw_language(self.rates, languages, rng)
        customer = make_customer(self.content.people, self.seed, number, language)
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
    def _remarks(self) -> Remarks:
        return Remarks(self.content)

    @cached_property
    def _foreign(self) -> dict[Split, list[Foreign]]:
        return split_foreign(self.content.foreign)

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
        for remark in self._remarks.choose(split, request.tone, feelings, expressed, rng):
            (before if remark.place == "before" else behind).append(scope.say(remark.lines, by_customer=True))
        if rng.random() < 0.25:
            before.insert(0, scope.say(self.content.moods["calm"].greeting))
        said_all = ensure_japanese([*before, opening, *behind], self.content, scope, customer)
        loud = {name for name, mood in self.content.moods.items() if mood.shout_rate}
        manners = [name for name in self.content.moods if name not in loud or "frustration" in feelings]
        pieces = as_written(join(said_all, close=True), self.content, customer, rng.choice(manners), rng)
        requests = [request, *([second] if second else [])]
        return Written(pieces, customer, [r.intent for r in requests], feelings, [r.name for r in requests])


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
    return [line for line in lines if fits(line.feelings, feelings)]
