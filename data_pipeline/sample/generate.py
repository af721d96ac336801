"""Tickets by number: one depends on the seed and its index alone, so any number of them can be streamed."""

import random
from dataclasses import dataclass
from math import floor

from common.seeds import unit_hash
from data_pipeline.sample.dialogue import write_dialogue
from data_pipeline.sample.models import Content
from data_pipeline.sample.people import make_customer
from data_pipeline.sample.zendesk import Json, render

MOST_TICKETS = 5_000_000
"""Room for tickets of one seed; the ids of unseen tickets and of their customers begin after it."""

_RETURNING_SHARE, _RETURN_WITHIN = 0.25, 300


@dataclass(frozen=True)
class Sample:
    """The sample company for one seed."""

    content: Content
    seed: int
    duplicate_rate: float
    internal_note_rate: float

    def ticket(self, index: int) -> tuple[Json, Json]:
        """Ticket `index` and its truth; some are exact duplicates of an earlier one under a new id."""
        original = self._duplicate_source(index)
        ticket, truth = self._make(index, original, held_out=False)
        if original != index:
            truth["duplicate_of"] = self._ticket_id(original)
        return ticket, truth

    def unseen_ticket(self, index: int) -> tuple[Json, Json]:
        """Ticket `index` of the held-out situations, from customers of their own, and its truth."""
        return self._make(MOST_TICKETS + index, MOST_TICKETS + index, held_out=True)

    def _make(self, index: int, original: int, held_out: bool) -> tuple[Json, Json]:
        """Write conversation `original` and render it as ticket `index`."""
        rng = random.Random(f"{self.seed}:{original}")
        situation = rng.choice([s for s in self.content.situations if s.held_out == held_out])
        customer = make_customer(self.content.people, self.seed, self._customer_number(original, rng))
        dialogue = write_dialogue(self.content, situation, customer, self.internal_note_rate, rng)
        return render(self.content, dialogue, self._ticket_id(index), index, self.seed, rng)

    def _ticket_id(self, index: int) -> int:
        return (self.seed + 1) * 2 * MOST_TICKETS + index

    def _customer_number(self, index: int, rng: random.Random) -> int:
        """A new customer, or one who wrote not long ago."""
        first = MOST_TICKETS if index >= MOST_TICKETS else 0
        if rng.random() >= _RETURNING_SHARE:
            return index
        return rng.randrange(max(first, index - _RETURN_WITHIN), index + 1)

    def _duplicate_source(self, index: int) -> int:
        """The index whose conversation ticket `index` repeats; `index` itself for an original."""
        if index == 0 or not self._is_duplicate(index):
            return index
        rng = random.Random(f"{self.seed}:{index}:duplicate")
        source = rng.randrange(max(0, index - 50), index)
        while source and self._is_duplicate(source):
            source -= 1
        return source

    def _is_duplicate(self, index: int) -> bool:
        """Spread over all tickets so that any run of them holds the stated share."""
        phase = unit_hash("duplicates", self.seed)
        return floor((index + 1) * self.duplicate_rate + phase) > floor(index * self.duplicate_rate + phase)
