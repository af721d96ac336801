"""What the facts functions draw with, and how they write numbers."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from sft.tiny.nodes import Scope, text_of
from sft.tiny.text_files import Library

Facts = dict[str, str]
T = TypeVar("T")

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


class Draw:
    """Random draws of one conversation."""

    def __init__(self, random: Random, library: Library) -> None:
        self._random = random
        self._library = library

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self._random.random() * len(options))]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """Different options, in random order."""
        return self._random.sample(options, count)

    def letter(self) -> str:
        """A capital letter that is not mistaken for a digit."""
        return self.pick(_LETTERS)

    def rule(self, name: str) -> str:
        """A text of a rule of the library."""
        return text_of(self._library.rules[name], Scope(self._random.random, {}))


def in_words(number: int) -> str:
    """A number from 0 to 999,999 in English words."""
    if number < 20:
        return _UNITS[number]
    if number < 100:
        tens, unit = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_UNITS[unit]}" if unit else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    count, rest = divmod(number, size)
    joint = " and " if rest < 100 else " "
    return f"{in_words(count)} {name}" + (joint + in_words(rest) if rest else "")


def money(amount: float) -> str:
    """An amount in the currency of all conversations: "$12" or "$12.50"."""
    return f"${amount:,.0f}" if float(amount).is_integer() else f"${amount:,.2f}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """Items as running text: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def with_words(**numbers: int) -> Facts:
    """Each number as digits under its name, and in words under `<name>_words`."""
    digits = {name: str(number) for name, number in numbers.items()}
    return digits | {f"{name}_words": in_words(number) for name, number in numbers.items()}
