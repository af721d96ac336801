"""Names, places, addresses and companies of many countries, drawn from Faker for the slots of sentences."""

import random
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from common import seeds
from common.errors import UserError
from data_pipeline.pii.ner.sentences import read_yaml

HELD_OUT_SHARE = 0.1
"""Share of first names, last names, places ... that training never sees: kept for measuring."""


@dataclass
class Country:
    """What is said in one locale."""

    often: bool = False
    first: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    cities: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    streets: list[str] = field(default_factory=list)
    street_addresses: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    postcodes: list[str] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)


@dataclass
class Values:
    """Countries with Latin letters, those with others, and words of general use in English."""

    latin: list[Country]
    other: list[Country]
    jobs: list[str]
    catch_phrases: list[str]
    words: list[str]

    def __post_init__(self) -> None:
        self._english = [country for country in self.latin if country.often] or self.latin

    def country(self, rng: random.Random) -> Country:
        """One of them: English-speaking ones in a third of cases, other scripts in 3 % of them."""
        draw = rng.random()
        if draw < 0.03 and self.other:
            return rng.choice(self.other)
        return rng.choice(self._english if draw < 0.36 else self.latin)

    @property
    def country_names(self) -> list[str]:
        """Names of all countries in English."""
        return self._english[-1].countries  # en_US comes last in locales.yaml


def draw_values(per_locale: int, seed: int, held_out: bool = False) -> Values:
    """Draw `per_locale` values of each kind and locale: those of training, or those held out.

    Raises UserError when Faker is not installed.
    """
    faker = _faker()
    locales = read_yaml("locales")
    few = max(20, per_locale // 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        english = faker("en_US")
        english.seed_instance(seed)
        latin = [
            _country(faker, name, per_locale, seed, held_out, often=group == "often")
            for group in ("often", "latin")
            for name in locales[group]
        ]
        latin += [_romanised(faker, name, per_locale, seed, held_out) for name in locales["romanised"]]
        other = [_country(faker, name, few, seed, held_out) for name in locales["other_scripts"]]
        return Values(
            latin=latin,
            other=[country for country in other if country.first and country.last],
            jobs=_drawn(english.job, max(100, per_locale * 2), held_out),
            catch_phrases=_drawn(english.catch_phrase, max(100, per_locale * 2), held_out),
            words=_drawn(english.word, max(100, per_locale * 4), held_out),
        )


def _faker() -> Callable[[str], Any]:
    try:
        from faker import Faker
    except ImportError:
        raise UserError(
            "training the name detector needs Faker, which is not installed",
            "install the project with its extra: pip install 'supportlm[ner]'",
        ) from None
    return Faker


def _country(
    faker: Callable[[str], Any], name: str, count: int, seed: int, held_out: bool, often: bool = False
) -> Country:
    fake = faker(name)
    fake.seed_instance(seed)

    def draw(*methods: str, share: float = 1.0) -> list[str]:
        size = max(5, int(count * share))
        return [
            value
            for method in methods
            if hasattr(fake, method)
            for value in _drawn(getattr(fake, method), size, held_out)
        ]

    return Country(
        often=often,
        first=draw("first_name_male", "first_name_female"),
        last=draw("last_name", "last_name_male", "last_name_female", share=1.5),
        full=draw("name", share=0.7),
        cities=draw("city"),
        states=draw("state", "administrative_unit", "region", share=0.3),
        streets=draw("street_name"),
        street_addresses=draw("street_address"),
        addresses=draw("address"),
        units=draw("secondary_address", share=0.3),
        postcodes=draw("postcode", share=0.3),
        companies=draw("company", share=0.6),
        countries=_countries(fake, count),
    )


def _countries(fake: Any, count: int) -> list[str]:
    """Countries are few and known: none is held out."""
    drawn = dict.fromkeys(_clean(str(_quiet(fake.country))) for _ in range(4 * count))
    return [value for value in drawn if value]


def _romanised(faker: Callable[[str], Any], name: str, count: int, seed: int, held_out: bool) -> Country:
    """East Asian names in Latin letters. Their addresses are the English ones."""
    fake = faker(name)
    fake.seed_instance(seed)
    english = _country(faker, "en_US", max(5, count // 4), seed + 1, held_out)
    firsts = [method for method in ("first_romanized_name", "romanized_name") if hasattr(fake, method)]
    english.first = [
        value.split()[0 if firsts[0] == "first_romanized_name" else -1].title()
        for value in _drawn(getattr(fake, firsts[0]), count, held_out)
    ]
    english.last = [value.title() for value in _drawn(fake.last_romanized_name, count, held_out)]
    english.full = []
    return english


def _drawn(method: Callable[[], Any], count: int, held_out: bool) -> list[str]:
    """Different values in the order in which they came; training and held-out values never meet."""
    values = dict.fromkeys(_clean(str(_quiet(method))) for _ in range(count))
    return [value for value in values if value and is_held_out(value) == held_out]


def _quiet(method: Callable[[], Any]) -> Any:
    """Some locales know no state or suite: they raise."""
    try:
        return method()
    except (AttributeError, NotImplementedError, IndexError):
        return ""


def _clean(value: str) -> str:
    return "\n".join(" ".join(line.split()) for line in value.split("\n") if line.strip())


def is_held_out(value: str) -> bool:
    """Whether a value is kept for measuring: decided by the value alone."""
    return seeds.unit_hash(value.lower(), seeds.DATA_SPLIT) < HELD_OUT_SHARE


def fold(text: str) -> str:
    """Accents taken off: "Björk" to "Bjork"."""
    folded = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in folded if unicodedata.category(c) != "Mn"))


def pick(rng: random.Random, *pools: Sequence[str]) -> str:
    """A value of the first pool that has any."""
    for pool in pools:
        if pool:
            return rng.choice(pool)
    return ""


def merged(countries: Iterable[Country], kind: str) -> list[str]:
    """All countries' values of one kind."""
    return [value for country in countries for value in getattr(country, kind)]
