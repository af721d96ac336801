"""Invents organisations, which are labelled, and products, numbers and dates, which are not."""

import random
from collections.abc import Callable, Mapping, Sequence

from data_pipeline.pii.ner.values import Country, Values, pick

Words = Mapping[str, Sequence[str]]
_VARIANTS = ("Pro", "Max", "Mini", "XL", "2", "Plus", "Lite", "3000")
_ENDINGS = ("com", "org", "net", "co.uk", "de", "io", "se", "example")
_HALVES = (" am", "pm", " p.m.", " o’clock")


def organisation(rng: random.Random, country: Country, words: Words) -> str:
    """A company, bank, school, club or authority that does not exist, or may by chance."""
    draw = rng.random()
    last = pick(rng, country.last)
    city = pick(rng, country.cities)
    if draw < 0.28 and country.companies:
        return rng.choice(country.companies)
    if draw < 0.40:
        return f"{rng.choice(words['org_stem'])} {rng.choice(words['org_end'])}"
    if draw < 0.50:
        return (
            f"{rng.choice(words['org_stem'])} {rng.choice(words['org_stem'])} {rng.choice(words['org_end'])}"
        )
    if draw < 0.58:
        return f"{rng.choice(words['org_stem'])} {rng.choice(words['org_stem'])}"
    if draw < 0.72:
        return coined(rng, words)
    if draw < 0.80:
        return rng.choice(words["org_pattern"]).replace("CITY", city).replace("LAST", last)
    if draw < 0.86:
        return f"{last} {rng.choice(words['org_end'])}"
    if draw < 0.90:
        other = pick(rng, country.last)
        return (
            f"{last} {rng.choice(('&', 'and'))} {other}{rng.choice(('', '', ' LLP', ' Ltd.', ' Associates'))}"
        )
    if draw < 0.95:
        return "".join(rng.choice("ABCDEFGHIKLMNOPRSTUVW") for _ in range(rng.randint(3, 4)))
    return f"{coined(rng, words)} {rng.choice(words['org_end'])}"


def coined(rng: random.Random, words: Words) -> str:
    """One word that is no word: "Importio", "OpenLedger", "6Sigma"."""
    draw = rng.random()
    if draw < 0.35:
        one, two = rng.choice(words["org_stem"]), rng.choice(words["org_stem"])
        return f"{one}{two if rng.random() < 0.4 else two.lower()}"
    if draw < 0.5:
        return f"{rng.choice(words['org_stem'])}{rng.choice(words['coined_end'])}"
    name = "".join(rng.choice(words["syllable"]) for _ in range(rng.randint(2, 3))) + rng.choice(
        ["", *words["coined_end"]]
    )
    if draw > 0.97:
        return f"{rng.randint(2, 99)}{name.capitalize()}"
    return name.upper() if draw > 0.94 else name.capitalize()


def _product(rng: random.Random, values: Values, words: Words) -> str:
    draw = rng.random()
    noun = rng.choice(words["thing"])
    if draw < 0.3:
        return noun
    if draw < 0.5:
        return f"{rng.choice(words['title_word'])} {noun}"
    if draw < 0.7:
        return f"{rng.choice(words['title_word'])} {noun.title()} {rng.choice(_VARIANTS)}"
    number = rng.randint(2, 990)
    return f"{coined(rng, words)} {rng.choice((noun, noun.title(), f'X{number}', str(number)))}"


def _title(rng: random.Random, values: Values, words: Words) -> str:
    one, two, three = (rng.choice(words["title_word"]) for _ in range(3))
    forms = (
        f"{one} {two}",
        f"{one} {two} {three}",
        f"The {one} of {two}",
        f"The {one} {two}",
        f"{one} and {two}",
        f"{one} no {two}",
        f"The Last {one}",
        f"My {one} {two}",
        f"{one}",
        f"{one} of the {two}",
        f"A {one} for the {two}",
    )
    return rng.choice(forms)


def _order(rng: random.Random, values: Values, words: Words) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(4, 10)))
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    return rng.choice(
        (digits, f"#{digits}", f"{letters}-{digits}", f"{letters}{digits}", f"{letters.lower()}{digits}")
    )


def _date(rng: random.Random, values: Values, words: Words) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1930, 2026)
    name = words["month"][month - 1]
    forms = (
        f"{month}/{day}/{year}",
        f"{day}.{month}.{year}",
        f"{year}-{month:02}-{day:02}",
        f"{name} {day}, {year}",
        f"{day} {name}",
        f"{name} {day}th",
        f"{day} {name[:3]} {year}",
        f"{year}-{month:02}-{day:02} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}",
    )
    return rng.choice(forms)


def _phone(rng: random.Random, values: Values, words: Words) -> str:
    def digits(count: int) -> str:
        return "".join(rng.choice("0123456789") for _ in range(count))

    forms = (
        f"({digits(3)}) {digits(3)}-{digits(4)}",
        f"{digits(3)}-{digits(3)}-{digits(4)}",
        f"+{digits(2)} {digits(3)} {digits(3)} {digits(3)}",
        f"0{digits(9)}",
        f"0{digits(3)} {digits(3)} {digits(2)} {digits(2)}",
        f"{digits(3)} {digits(2)} {digits(3)}",
        f"({digits(2)}) {digits(4)}-{digits(4)}",
        digits(8),
        f"{digits(2)} {digits(2)} {digits(2)} {digits(2)}",
    )
    return rng.choice(forms)


def _email(rng: random.Random, values: Values, words: Words) -> str:
    country = values.country(rng)
    first, last = pick(rng, country.first) or "a", pick(rng, country.last) or "b"
    user = rng.choice((f"{first}.{last}", f"{first}{rng.randint(1, 99)}", f"{first[0]}{last}", last)).lower()
    host = f"{rng.choice(words['org_stem']).lower()}.{rng.choice(_ENDINGS)}"
    return f"{user.replace(' ', '')}@{host}"


def _url(rng: random.Random, values: Values, words: Words) -> str:
    host = f"{rng.choice(words['org_stem'])}{rng.choice(words['org_stem'])}"
    start = rng.choice(("http://www.", "https://", "www.", "", "https://www."))
    host = host if rng.random() < 0.5 else host.lower()
    return f"{start}{host}.{rng.choice(_ENDINGS)}{rng.choice(('', '/'))}"


def _card(rng: random.Random, values: Values, words: Words) -> str:
    return "".join(rng.choice("0123456789") for _ in range(rng.choice((13, 15, 16, 16, 16))))


PLAIN: Mapping[str, Callable[[random.Random, Values, Words], str]] = {
    "product": _product,
    "title": _title,
    "order": _order,
    "date": _date,
    "phone": _phone,
    "email": _email,
    "url": _url,
    "card_number": _card,
    "n": lambda rng, values, words: str(rng.choice((2, 3, 4, 5, 7, 10, 12, 15, 20, 24, 30, 48, 60, 90, 100))),
    "age": lambda rng, values, words: str(rng.randint(16, 96)),
    "year": lambda rng, values, words: str(rng.randint(1900, 2026)),
    "time": lambda rng, values, words: (
        f"{rng.randint(1, 12)}{rng.choice((':30', ':15', '', ''))}{rng.choice(_HALVES)}"
    ),
    "amount": lambda rng, values, words: (
        f"{rng.choice('$£€')}{rng.randint(1, 2000)}{rng.choice(('', '', '.99', '.50'))}"
    ),
    "job": lambda rng, values, words: rng.choice(values.jobs),
    "phrase": lambda rng, values, words: rng.choice(values.catch_phrases),
    "word": lambda rng, values, words: rng.choice(values.words),
}
"""Slots that get no label. Those of `words.yaml` get none either."""
