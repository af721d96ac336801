"""Messages for the guard: attacks on the assistant, and harmless messages of the same lengths.

Rows come in twos, an attack and a harmless message about as long: "longer than n characters" tells nothing.
Many harmless ones hold the words of attacks. Parts share no attack, no look-alike and no request.
"""

import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Piece, join, plain
from data_pipeline.sample.label_models import Attack, Harmless
from data_pipeline.sample.message_rows import spans
from data_pipeline.sample.people import Customer, make_customer
from data_pipeline.sample.scope import Scope
from data_pipeline.sample.splits import SPLITS, Request, Split, split_entries, split_everyday, split_requests
from data_pipeline.sample.voice import as_written

_OTHER_CUSTOMERS = 60_000_000
_LOOK_ALIKES = 0.4
"""Share of harmless messages that hold the words of attacks."""

_EMBEDDED = 0.5
"""Share of attacks that stand in or behind an ordinary request."""

_MOST_REQUESTS, _ATTEMPTS = 12, 5
_LEFT_AS_THEY_ARE = ("obfuscation", "odd_strings")
"""Codes: in lower case, or with a typing mistake, they would mean nothing."""

Json = dict[str, Any]


@dataclass(frozen=True)
class GuardRows:
    """Rows by part and index: even ones are attacks, the odd one behind each is harmless."""

    content: Content
    seed: int

    def row(self, split: Split, index: int) -> tuple[Json, Json]:
        """Row `index` of a part, and its truth."""
        pieces, family = self._attack(split, index // 2)
        label: Literal["attack", "harmless"] = "attack"
        if index % 2:
            pieces, family = self._harmless(split, index // 2, length=len(plain(pieces)))
            label = "harmless"
        identity = f"{self.seed}-guard-{split}-{index:06}"
        row = {"id": identity, "text": plain(pieces), "label": label, "family": family}
        return row, {"id": identity, "same_text_as": None, "pii": spans(pieces)}

    @cached_property
    def _requests(self) -> dict[Split, list[Request]]:
        situations, everyday = split_requests(self.content.situations), split_everyday(self.content.everyday)
        return {split: situations[split] + everyday[split] for split in SPLITS}

    @cached_property
    def _attacks(self) -> dict[Split, list[Attack]]:
        return split_entries(
            self.content.guard.attacks, key=lambda e: repr(e.lines), stratum=lambda e: e.family
        )

    @cached_property
    def _look_alikes(self) -> dict[Split, list[Harmless]]:
        return split_entries(
            self.content.guard.harmless, key=lambda e: repr(e.lines), stratum=lambda e: e.kind
        )

    def _attack(self, split: Split, index: int) -> tuple[list[Piece], str]:
        rng, customer = self._draw(split, 2 * index)
        families = sorted({attack.family for attack in self._attacks[split]})
        family = rng.choice(families)
        attack = rng.choice([attack for attack in self._attacks[split] if attack.family == family])
        said = [Scope(self.content, None, customer, rng).say(attack.lines)]
        if rng.random() < _EMBEDDED:
            requests = [self._request(split, customer, rng) for _ in range(rng.choice((1, 1, 2)))]
            at = rng.randrange(len(requests) + 1)
            said = [*requests[:at], *said, *requests[at:]]
        return self._typed(said, family, customer, rng), family

    def _harmless(self, split: Split, index: int, length: int) -> tuple[list[Piece], str]:
        """A harmless message of about `length` characters: look-alikes and requests until it is as long."""
        rng, customer = self._draw(split, 2 * index + 1)
        kind, first = "request", self._request(split, customer, rng)
        if rng.random() < _LOOK_ALIKES:
            for look_alike in rng.sample(self._look_alikes[split], _ATTEMPTS):
                words = Scope(self.content, None, customer, rng).say(look_alike.lines)
                if len(plain(words)) < 1.3 * length + 10:
                    kind, first = look_alike.kind, words
                    break
        said = [first]
        for _ in range(_MOST_REQUESTS):
            now = sum(len(plain(part)) + 1 for part in said)
            request = self._request(split, customer, rng)
            if now + len(plain(request)) / 2 > length:
                break
            said.insert(rng.randrange(len(said) + 1), request)
        return self._typed(said, kind, customer, rng), kind

    def _draw(self, split: Split, number: int) -> tuple[random.Random, Customer]:
        rng = random.Random(f"{self.seed}:guard:{split}:{number}")
        offset = _OTHER_CUSTOMERS + len(SPLITS) * number + SPLITS.index(split)
        language = "ja-en" if rng.random() < 0.1 else "en"
        return rng, make_customer(self.content.people, self.seed, offset, language)

    def _request(self, split: Split, customer: Customer, rng: random.Random) -> list[Piece]:
        request = rng.choice(self._requests[split])
        use_japanese = customer.mixes_japanese and request.japanese and rng.random() < 0.5
        lines = request.japanese if use_japanese else request.openers
        return Scope(self.content, request.situation, customer, rng).say(lines, by_customer=True)

    def _typed(
        self, said: list[list[Piece]], kind: str, customer: Customer, rng: random.Random
    ) -> list[Piece]:
        if kind in _LEFT_AS_THEY_ARE:
            return join(said, close=True)
        mood = rng.choice(("calm", "cheerful", "confused", "worried"))
        return as_written(join(said, close=True), self.content, customer, mood, rng)
