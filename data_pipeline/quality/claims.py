"""What a sentence states that can be compared: quantities, and proper names that the knowledge base uses."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from data_pipeline.quality.quantities import Quantity, quantities
from data_pipeline.quality.units import BARE, CLOCK, COUNT, DATE, HOURS, MONTHS, ORDINAL, WEEKDAY

NAME = "name"

_WORD = r"[A-Z][\w'’-]+"
_RUN = re.compile(rf"{_WORD}(?: (?:(?:of|the|and|on|at|is|a|an|for|to|in|with) )*{_WORD})+")
_IN_SENTENCE = re.compile(rf"(?<=[a-z,;:(] ){_RUN.pattern}")
_MARKED = re.compile(r"\*{1,2}([A-Z][^*\n]{3,50}?)[.:,]?\*{1,2}")
_MOST_WORDS = 8

_DAYS_OF_MONTH = (28, 30, 31)
_COUNTED_WORD = re.compile(r"[A-Za-z]")
_FEW = 4
"""Up to here number words without a unit are rather pronouns: "the two", "three of them"."""


@dataclass(frozen=True)
class Claim:
    """A quantity or a name in a sentence.

    Attributes:
        unit: a `Quantity`'s, or `NAME`.
        value: in the unit's measure; a name is its own value.
        number: as the text has it, 30 for "30 days"; None for a name.
    """

    unit: str
    value: float | str
    number: float | None
    start: int
    end: int

    @property
    def is_loose(self) -> bool:
        """Whether nothing is known of what it measures."""
        return self.unit in (BARE, ORDINAL) or self.unit.startswith(COUNT)


class Names:
    """Proper names of two words or more in a knowledge base, from its bold words and inside its sentences."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._known: set[str] = set()
        for text in texts:
            found = [name for name in _MARKED.findall(text) if _RUN.fullmatch(name)]
            for match in _IN_SENTENCE.finditer(text.replace("*", "")):
                found += [match[0], *match[0].split(" and ")]  # one name with "and" in it, or two names
            self._known.update(name for name in found if " " in name)

    def find(self, text: str) -> Iterator[Claim]:
        """The known names in `text`, the longest where several begin at one word."""
        words = list(re.finditer(r"[\w'’-]+", text))
        place = 0
        while place < len(words):
            start = words[place].start()
            step = 1
            if text[start].isupper():
                for count in range(min(_MOST_WORDS, len(words) - place), 1, -1):
                    end = words[place + count - 1].end()
                    if text[start:end] in self._known:
                        yield Claim(NAME, text[start:end], None, start, end)
                        step = count
                        break
            place += step


def claims(text: str, names: Names | None = None) -> list[Claim]:
    """All claims of `text`: quantities in order, then names."""
    found = [
        _of_quantity(quantity) for quantity in quantities(text) if not _is_figure_of_speech(quantity, text)
    ]
    return found + list(names.find(text) if names else ())


def _of_quantity(quantity: Quantity) -> Claim:
    number = round(quantity.value / quantity.factor, 6)
    return Claim(quantity.unit, quantity.value, number, quantity.start, quantity.end)


def _is_figure_of_speech(quantity: Quantity, text: str) -> bool:
    """ "The two of them", and numbers in titles such as "Seven Bridges"."""
    word = text[quantity.start : quantity.end]
    if not _COUNTED_WORD.match(word) or quantity.unit in (CLOCK, DATE, WEEKDAY):
        return False
    if (quantity.unit == BARE or quantity.unit.startswith(COUNT)) and quantity.value <= _FEW:
        return True
    return quantity.start > 0 and word[0].isupper() and text[quantity.end :].lstrip()[:1].isupper()


def agree(one: Claim, other: Claim) -> bool:
    """Whether both state the same, as far as their units can be compared.

    A bare number agrees with the same number of anything: "a tankobon has 70" with "70 grams".
    """
    if one.unit == other.unit or (one.is_loose and other.is_loose):
        return one.value == other.value or _nearly(one, other)
    if BARE in (one.unit, other.unit):
        return one.number is not None and one.number == other.number
    if {one.unit, other.unit} == {HOURS, MONTHS}:
        hours, months = (one, other) if one.unit == HOURS else (other, one)
        return any(hours.value == float(months.value) * days * 24 for days in _DAYS_OF_MONTH)
    return False


def _nearly(one: Claim, other: Claim) -> bool:
    """Units are converted: 2.2 pounds are a kilo."""
    if isinstance(one.value, str) or isinstance(other.value, str) or one.is_loose:
        return False
    return abs(one.value - other.value) <= 0.01 * abs(other.value)


def comparable(one: Claim, other: Claim) -> float:
    """How far a difference of the two is a contradiction: 1 for the same measure, 0 for days and dollars."""
    if one.unit == NAME == other.unit:
        return 0.8  # a sentence names many things; chosen on seed 11 from 1, .8, .6 and .5
    if one.unit == other.unit:
        return 0.7 if one.unit == BARE else 1.0
    if one.is_loose and other.is_loose and BARE in (one.unit, other.unit):
        return 0.7
    return 1.0 if {one.unit, other.unit} == {HOURS, MONTHS} else 0.0


def is_derived(claim: Claim, known: Iterable[float]) -> bool:
    """Whether its number is the sum, difference or product of two known ones: an agent's arithmetic.

    >>> is_derived(claims("you need $12 more")[0], [33, 45]), is_derived(claims("$12")[0], [30, 45])
    (True, False)
    """
    if claim.number is None:
        return False
    others = sorted({number for number in known if number > 0 and number != claim.number})[:_MOST_NUMBERS]
    return any(
        claim.number in (a + b, b - a, a * b) for place, a in enumerate(others) for b in others[place:]
    )


_MOST_NUMBERS = 12
"""With more, nearly any small number is a sum of two."""
