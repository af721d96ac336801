"""Invented customers and agents, and the numbers that stand on their papers.

All of it is from ranges that reach nobody: example mail domains, 555-01xx phones, postcodes never given out.
"""

import random
from dataclasses import dataclass

from data_pipeline.sample.models import People

_JAPANESE_SHARE = {True: 0.7, False: 0.1}
"""Share of customers that mix Japanese in, by whether their first name is a Japanese one."""


@dataclass(frozen=True)
class Customer:
    number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    address: str
    mixes_japanese: bool
    writes_lower_case: bool
    typo_factor: int
    curly_quotes: bool

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


def make_customer(people: People, seed: int, number: int) -> Customer:
    """The customer `number`; the same seed and number give the same person."""
    rng = random.Random(f"{seed}:customer:{number}")
    first_name = rng.choice(people.first_names + people.japanese_first_names)
    last_name = rng.choice(people.last_names)
    is_japanese = first_name in people.japanese_first_names
    return Customer(
        number=number,
        first_name=first_name,
        last_name=last_name,
        email=_email(people, rng, first_name, last_name),
        phone=_phone(rng),
        address=_address(people, rng),
        mixes_japanese=rng.random() < _JAPANESE_SHARE[is_japanese],
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
