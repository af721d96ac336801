"""Fills the slots of sentences: `{name}` and `{city}` with labels, `{product}` and `{order}` without."""

import random
from collections.abc import Callable, Mapping, Sequence

from data_pipeline.pii.ner import invent
from data_pipeline.pii.ner.addresses import address, number, place_line, po_box, street, street_address, unit
from data_pipeline.pii.ner.values import Country, Values, fold, pick
from data_pipeline.sample.grammar import Piece

PERSON, LOCATION, ORGANIZATION, ADDRESS = "PERSON", "LOCATION", "ORGANIZATION", "ADDRESS"
_FOLDED = 0.2
"""Share of names and places whose accents are taken off, as people do who write English."""
_SUFFIXES = ("Jr.", "Jr", "Sr.", "II", "III", "MD", "PhD", "DDS", "Esq.")


class Slots:
    """Values for the slots of sentences, drawn with `rng`."""

    def __init__(self, values: Values, words: Mapping[str, Sequence[str]], rng: random.Random) -> None:
        self._values = values
        self._words = words
        self._rng = rng
        self._labelled: dict[str, tuple[str, Callable[[Country], str]]] = {
            "name": (PERSON, self._name),
            "first": (PERSON, self._first),
            "last": (PERSON, lambda country: pick(rng, country.last)),
            "city": (LOCATION, self._city),
            "country": (LOCATION, self._country_name),
            "state": (LOCATION, self._state),
            "org": (ORGANIZATION, lambda country: invent.organisation(rng, country, words)),
            "street": (ADDRESS, lambda country: street(rng, country, words)),
            "street_address": (ADDRESS, lambda country: street_address(rng, country, words)),
            "address": (ADDRESS, lambda country: address(rng, country, values, words)),
            "unit": (ADDRESS, lambda country: unit(rng)),
            "po_box": (ADDRESS, lambda country: po_box(rng)),
            "house": (ADDRESS, lambda country: number(rng)),
            "zip": (ADDRESS, lambda country: pick(rng, country.postcodes) or number(rng)),
            "place_line": (ADDRESS, lambda country: place_line(rng, country)),
        }

    def fill(self, slot: str) -> list[Piece]:
        """The pieces that take a slot's place. Raises KeyError for a slot that does not exist."""
        if slot in self._labelled:
            kind, make = self._labelled[slot]
            text = make(self._values.country(self._rng))
            if self._rng.random() < _FOLDED:
                text = fold(text)
            return [Piece(text or "Smith", kind)]
        if slot in self._words:
            return [Piece(self._rng.choice(self._words[slot]))]
        return [Piece(invent.PLAIN[slot](self._rng, self._values, self._words))]

    def _first(self, country: Country) -> str:
        first = pick(self._rng, country.first)
        if self._rng.random() < 0.05:
            return f"{first}{self._rng.choice('- ')}{pick(self._rng, country.first)}"
        return first

    def _name(self, country: Country) -> str:
        rng = self._rng
        draw = rng.random()
        if draw < 0.15 and country.full:
            return rng.choice(country.full)
        first = pick(rng, country.first)
        last = pick(rng, country.last)
        if draw < 0.25:
            last = pick(rng, self._values.country(rng).last) or last
        if draw > 0.97:
            return f"{first[:1]}. {last}"
        if draw > 0.93:
            return f"{first} {rng.choice('ABCDEFGHJKLMNPRSTW')}. {last}"
        if draw > 0.90:
            return f"{first} {pick(rng, country.first)} {last}"
        if draw > 0.88:
            return f"{first} {last}{rng.choice(['-', ' '])}{pick(rng, country.last)}"
        if draw > 0.86:
            return f"{first} {last}{rng.choice([' ', ', '])}{rng.choice(_SUFFIXES)}"
        if draw > 0.845:
            return f"{last}, {first}"
        return f"{first} {last}"

    def _city(self, country: Country) -> str:
        if self._rng.random() < 0.25:
            return self._rng.choice(self._words["known_city"])
        return pick(self._rng, country.cities)

    def _country_name(self, country: Country) -> str:
        english = self._values.country_names
        return pick(self._rng, country.countries if self._rng.random() < 0.12 else english, english)

    def _state(self, country: Country) -> str:
        return pick(self._rng, country.states) or self._city(country)
