"""Invented customers and agents, and the numbers that stand on their papers.

All of it is from ranges that reach nobody: example mail domains, 555-01xx phones, postcodes never given out.
"""

import random
from dataclasses import dataclass

from data_pipeline.sample.models import People

_JAPANESE_NAMES = {"ja-en": 0.7, "en": 0.1}
"""Share of customers with a Japanese first name, by the language they write."""


@dataclass(frozen=True)
class Customer:
    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    address: str
    language: str
    writes_lower_case: bool
    typo_factor: int
    curly_quotes: bool

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def mixes_japanese(self) -> bool:
        return self.language == "ja-en"


def make_customer(people: People, seed: int, number: int, language: str = "en") -> Customer:
    """The customer `number`, who writes `language`; the same arguments give the same person."""
    rng = random.Random(f"{seed}:customer:{number}")
    is_japanese = rng.random() < _JAPANESE_NAMES.get(language, 0)
    first_name = rng.choice(people.japanese_first_names if is_japanese else people.first_names)
    last_name = rng.choice(people.last_names)
    return Customer(
        number=number,
        first_name=first_name,
        last_name=last_name,
        email=_email(people, rng, first_name, last_name),
        phone=_phone(rng),
        address=_address(people, rng),
        language=language,
        writes_lower_case=rng.random() < 0.2,
        typo_factor=rng.choice((0, 0, 1, 1, 3)),
        curly_quotes=rng.random() < 0.25,
    )


def order_number(rng: random.Random) -> str:
    return f"MA-{rng.randrange(10**6, 10**7)}"


def tracking_number(rng: random.Random) -> str:
    return f"TR{rng.randrange(10**9, 10**10)}"


def _email(people: People, rng: random.Random, first_name: str, last_name: str) -> str:
    first, last = ("".join(filter(str.isalnum, name)).lower() for name in (first_name, last_name))
    number = rng.randrange(10, 99)
    local = rng.choice(
        (f"{first}.{last}", f"{first[0]}{last}{number}", f"{last}_{first}", f"{first}{number}")
    )
    return f"{local}@{rng.choice(people.mail_domains)}"


def _phone(rng: random.Random) -> str:
    area, line = rng.randrange(201, 989), f"01{rng.randrange(100):02}"
    forms = (f"555-{line}", f"({area}) 555-{line}", f"+1 {area} 555 {line}", f"{area}.555.{line}")
    return rng.choice(forms)


def _address(people: People, rng: random.Random) -> str:
    flat = rng.choice(("", "", f", Apt {rng.randrange(1, 30)}", f", Flat {rng.choice('ABCDEF')}"))
    house, postcode = rng.randrange(1, 240), f"000{rng.randrange(10, 99)}"
    return f"{house} {rng.choice(people.streets)}{flat}, {rng.choice(people.towns)} {postcode}"
