"""Tickets by number: one depends on the seed and its index alone, so any number of them can be streamed."""

import random
from dataclasses import dataclass, replace
from functools import cached_property
from typing import get_args

from data_pipeline.sample import noise
from data_pipeline.sample.company import Content
from data_pipeline.sample.contradictions import alterable_answers
from data_pipeline.sample.conversation import Dialogue, Fault, Plan
from data_pipeline.sample.dialogue import write_dialogue
from data_pipeline.sample.foreign import write_foreign
from data_pipeline.sample.label_models import BadAnswerKind
from data_pipeline.sample.models import Situation
from data_pipeline.sample.people import Customer, make_customer
from data_pipeline.sample.rates import Rates, draw_language, is_planted
from data_pipeline.sample.zendesk import Json, render

MOST_TICKETS = 5_000_000
"""Room for tickets of one seed; the ids of unseen tickets and of their customers begin after it."""

_RETURNING_SHARE, _RETURN_WITHIN = 0.25, 300
_REWORDED = 0.08
"""Share of words that differ in a near-duplicate."""


@dataclass(frozen=True)
class Sample:
    """The sample company for one seed."""

    content: Content
    seed: int
    rates: Rates

    def ticket(self, index: int) -> tuple[Json, Json]:
        """Ticket `index` and its truth; some repeat an earlier one under a new id, wholly or nearly."""
        original = self._repeated(index)
        is_near = original != index and self._is_near(index)
        dialogue = self._dialogue(original, held_out=False)
        rng = random.Random(f"{self.seed}:{original}:export")
        if is_near:
            dialogue = _reworded(dialogue, random.Random(f"{self.seed}:{index}:reworded"))
        ticket, truth = render(self.content, dialogue, self._ticket_id(index), index, self.seed, rng)
        if original != index:
            truth["near_duplicate_of" if is_near else "duplicate_of"] = self._ticket_id(original)
        return ticket, truth

    def unseen_ticket(self, index: int) -> tuple[Json, Json]:
        """Ticket `index` of the held-out situations, from customers of their own, and its truth."""
        number = MOST_TICKETS + index
        dialogue = self._dialogue(number, held_out=True)
        rng = random.Random(f"{self.seed}:{number}:export")
        return render(self.content, dialogue, self._ticket_id(number), index, self.seed, rng)

    def situations(self, held_out: bool) -> list[Situation]:
        return self._held_out if held_out else self._open

    def without_needs(self, held_out: bool) -> list[Situation]:
        """Situations that can be asked about, and answered, in passing."""
        return [
            s
            for s in self.situations(held_out)
            if not s.needs and s.outcome == "solved" and s.intent != "chitchat"
        ]

    def customer(self, number: int) -> Customer:
        rng = random.Random(f"{self.seed}:language:{number}")
        language = draw_language(self.rates, self._languages, rng)
        return make_customer(self.content.people, self.seed, number, language)

    @cached_property
    def _open(self) -> list[Situation]:
        return [s for s in self.content.situations if not s.held_out]

    @cached_property
    def _held_out(self) -> list[Situation]:
        return [s for s in self.content.situations if s.held_out]

    @cached_property
    def _can_contradict(self) -> frozenset[str]:
        return frozenset(s.name for s in self.content.situations if alterable_answers(self.content, s))

    @cached_property
    def _languages(self) -> list[str]:
        return sorted({entry.language for entry in self.content.foreign})

    def _dialogue(self, index: int, held_out: bool) -> Dialogue:
        rng = random.Random(f"{self.seed}:{index}")
        customer = self.customer(self._customer_number(index, rng))
        if customer.language in self._languages:
            if not held_out:
                entries = [entry for entry in self.content.foreign if entry.language == customer.language]
                return write_foreign(self.content, rng.choice(entries), customer, rng)
            customer = replace(customer, language="en")
        situation = rng.choice(self.situations(held_out))
        plan = self._plan(index, situation, rng)
        return write_dialogue(self.content, situation, customer, plan, rng)

    def _plan(self, index: int, situation: Situation, rng: random.Random) -> Plan:
        rates, held_out = self.rates, situation.held_out
        second = elsewhere = None
        # The stated rates are shares of all tickets; conversations in other languages hold none of these.
        share = 1.0 if held_out else 1 - rates.other_language
        if is_planted("multi_intent", index, rates.multi_intent / share, self.seed):
            second = self._other_than(situation, held_out, rng)
        fault = self._fault(index, situation, share, rng)
        if fault == "off_topic":
            elsewhere = self._other_than(situation, held_out, rng)
        return Plan(rates.internal_note, second, fault, elsewhere)

    def _fault(self, index: int, situation: Situation, share: float, rng: random.Random) -> Fault | None:
        if is_planted("bad_answer", index, self.rates.bad_answer / share, self.seed):
            return rng.choice(get_args(BadAnswerKind))  # type: ignore[no-any-return]
        if situation.name not in self._can_contradict:
            return None
        pool = self.situations(situation.held_out)
        share *= sum(s.name in self._can_contradict for s in pool) / len(pool) * (1 - self.rates.bad_answer)
        is_wrong = is_planted("contradiction", index, self.rates.contradicting_answer / share, self.seed)
        return "contradiction" if is_wrong else None

    def _other_than(self, situation: Situation, held_out: bool, rng: random.Random) -> Situation:
        """A situation without needs, of another intent and another article."""
        fitting = [
            other
            for other in self.without_needs(held_out)
            if other.intent != situation.intent and other.article != situation.article
        ]
        return rng.choice(fitting)

    def _ticket_id(self, index: int) -> int:
        return (self.seed + 1) * 2 * MOST_TICKETS + index

    def _customer_number(self, index: int, rng: random.Random) -> int:
        """A new customer, or one who wrote not long ago."""
        first = MOST_TICKETS if index >= MOST_TICKETS else 0
        if rng.random() >= _RETURNING_SHARE:
            return index
        return rng.randrange(max(first, index - _RETURN_WITHIN), index + 1)

    def _repeated(self, index: int) -> int:
        """The index whose conversation ticket `index` repeats; `index` itself for an original."""
        if index == 0 or not self._is_repeat(index):
            return index
        rng = random.Random(f"{self.seed}:{index}:duplicate")
        source = rng.randrange(max(0, index - 50), index)
        while source and self._is_repeat(source):
            source -= 1
        return source

    def _is_repeat(self, index: int) -> bool:
        return self._is_near(index) or is_planted(
            "exact_duplicate", index, self.rates.exact_duplicate, self.seed
        )

    def _is_near(self, index: int) -> bool:
        return is_planted("near_duplicate", index, self.rates.near_duplicate, self.seed)


def _reworded(dialogue: Dialogue, rng: random.Random) -> Dialogue:
    messages = [
        replace(message, text=noise.reword(message.text, rng, _REWORDED))
        if message.speaker == "customer"
        else message
        for message in dialogue.messages
    ]
    return replace(dialogue, messages=messages)
