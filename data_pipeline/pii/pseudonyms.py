"""The numbers by which a conversation tells its people, addresses and accounts apart."""

import re
from dataclasses import dataclass

from data_pipeline.pii.placeholders import word

_PART = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*")
_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass
class _Person:
    number: int
    words: frozenset[str]


class Pseudonyms:
    """Numbers of one conversation, given in the order in which values are asked for: reading order.

    Values are the same without regard to case and punctuation. "Yuki" is "Yuki Tanaka", before or after, as
    long as there is only one of that name; "Tanaka" between two Tanakas is a third person.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._last: dict[str, int] = {}
        self._people: list[_Person] = []

    def __call__(self, entity_type: str, value: str) -> str:
        """The placeholder of a value, e.g. `[NAME_2]`."""
        kind = word(entity_type)
        key = kind, _NOT_WORDS.sub("", value.casefold())
        if key not in self._numbers:
            self._numbers[key] = self._person(value) if kind == "NAME" else self._next(kind)
        return f"[{kind}_{self._numbers[key]}]"

    def _next(self, kind: str) -> int:
        self._last[kind] = self._last.get(kind, 0) + 1
        return self._last[kind]

    def _person(self, value: str) -> int:
        words = frozenset(_PART.findall(value.casefold()))
        same = [person for person in self._people if _may_be(words, person.words)]
        if len(same) == 1:
            same[0].words |= words
            return same[0].number
        self._people.append(_Person(self._next("NAME"), words))
        return self._people[-1].number


def _may_be(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether one name is a part of the other; Japanese names are written without a space."""
    if one <= other or other <= one:
        return bool(one and other)
    first, second = "".join(sorted(one)), "".join(sorted(other))
    together = len(one) == len(other) == 1 and not first.isascii()
    return together and (first.startswith(second) or second.startswith(first))
