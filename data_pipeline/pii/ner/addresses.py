"""Street addresses in the forms of many countries, on one line or several."""

import random
from collections.abc import Mapping, Sequence

from data_pipeline.pii.ner.values import Country, Values, pick

_UNIT_WORDS = (
    "Apt.",
    "Apt",
    "Apartment",
    "Suite",
    "Flat",
    "Unit",
    "Room",
    "Floor",
    "apt.",
    "Ste",
    "Studio",
    "#",
)
_BOX_WORDS = ("P.O. Box", "PO Box", "P.O. box", "po box", "Postbox", "PO BOX", "Box", "Post Office Box")


def number(rng: random.Random) -> str:
    """A house number: short ones are most common."""
    digits = rng.choices((1, 2, 3, 4, 5), (12, 35, 28, 17, 8))[0]
    value = str(rng.randint(10 ** (digits - 1), 10**digits - 1))
    draw = rng.random()
    if draw < 0.05:
        return f"{value}{rng.choice('abcdABCD')}"
    if draw < 0.07:
        return f"{value}/{rng.randint(1, 40)}"
    if draw < 0.09:
        return f"{value}-{rng.randint(1, 90)}"
    return f"0{value}" if draw < 0.12 else value


def street(rng: random.Random, country: Country, words: Mapping[str, Sequence[str]]) -> str:
    """The name of a street, without a number."""
    if country.streets and rng.random() < 0.65:
        return rng.choice(country.streets)
    stem = rng.choice((pick(rng, country.last), pick(rng, country.cities), rng.choice(words["street_stem"])))
    draw = rng.random()
    if draw < 0.70:
        return f"{stem} {rng.choice(words['street_kind'])}"
    if draw < 0.75:
        return f"{rng.choice(('N', 'S', 'E', 'W', 'North', 'South', 'East', 'West'))} {stem} St"
    if draw < 0.82:
        place = rng.choice(("St", "Street", "Ave", "Avenue", "Road"))
        return f"{rng.randint(1, 190)}{rng.choice(('th', 'nd', 'st', 'rd'))} {place}"
    return f"{rng.choice(words['street_front'])} {stem}"


def street_address(rng: random.Random, country: Country, words: Mapping[str, Sequence[str]]) -> str:
    """A street with its house number."""
    if country.street_addresses and rng.random() < 0.5:
        return rng.choice(country.street_addresses)
    name = street(rng, country, words)
    house = number(rng)
    if rng.random() < 0.6:
        return f"{house}{rng.choice((' ', ' ', ' ', ', '))}{name}"
    return f"{name}{rng.choice((' ', ' ', ' ', ', ', ' No. ', ' nr '))}{house}"


def unit(rng: random.Random) -> str:
    """ "Apt. 12", "Suite 400", "Flat B"."""
    word = rng.choice(_UNIT_WORDS)
    value = rng.choice((number(rng), number(rng), number(rng), rng.choice("ABCDEFGH")))
    return f"{word}{'' if word == '#' else ' '}{value}"


def po_box(rng: random.Random) -> str:
    """ "P.O. Box 101"."""
    return f"{rng.choice(_BOX_WORDS)} {rng.randint(1, 99999)}"


def place_line(rng: random.Random, country: Country) -> str:
    """City with post code and state: "Leeds LS1 4AP", "4020 Linz", "Springfield, IL 62704"."""
    city = pick(rng, country.cities)
    code = pick(rng, country.postcodes) or number(rng)
    state = pick(rng, country.states)
    forms = [f"{city} {code}", f"{code} {city}", f"{city}, {code}", city, f"{city}\n{code}"]
    if state:
        forms += [f"{city}, {state} {code}", f"{city}, {state}", f"{city} {state} {code}"]
    return rng.choice(forms)


def address(rng: random.Random, country: Country, values: Values, words: Mapping[str, Sequence[str]]) -> str:
    """A postal address: Faker's own, or parts joined by line breaks, commas or spaces."""
    draw = rng.random()
    if draw < 0.3 and country.addresses:
        text = rng.choice(country.addresses)
        return text.replace("\n", rng.choice(("\n", ", ", " ", "\n ", ",\n")))
    box = rng.random() < 0.1
    parts = [po_box(rng) if box else street_address(rng, country, words)]
    if rng.random() < 0.4:
        parts.append(pick(rng, country.units) if country.units and rng.random() < 0.4 else unit(rng))
    line = place_line(rng, country)
    parts += line.split("\n") if rng.random() < 0.5 else [line]
    if rng.random() < 0.4:
        parts.append(pick(rng, values.country_names if rng.random() < 0.8 else country.countries))
    if len(parts) > 2 and rng.random() < 0.25:
        parts[0] = f"{parts[0]} {parts.pop(1)}"
    joint = rng.choice(("\n", "\n", ", ", ", ", " ", "\n ", ",\n", " , "))
    return joint.join(part for part in parts if part)
