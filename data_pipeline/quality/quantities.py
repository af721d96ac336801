"""Numbers in support texts, with what they count: days, money, percentages, weights, dates, times, ages.

"30 days", "thirty days" and "720 hours" state the same quantity; "$30" does not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from common.retrieval.words import words
from data_pipeline.quality.units import (
    BARE,
    BETWEEN,
    CLOCK,
    COUNT,
    CURRENCIES,
    DATE,
    NO_NOUN,
    ORDINAL,
    PERCENT,
    UNITS,
    WEEKDAY,
)


@dataclass(frozen=True)
class Quantity:
    """One number of a text.

    Attributes:
        value: in the unit's own measure: hours, months, minutes since midnight, grams, millimetres; 1231 for
            December 31, 0 to 6 for Monday to Sunday.
        unit: as in `units`, or `COUNT` with a noun, or `BARE`.
        start, end: where it stands in the text.
        factor: what the text's number was multiplied by, 24 for days.
    """

    value: float
    unit: str
    start: int
    end: int
    factor: float = 1.0


_ONES_TEXT = """
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_MONTHS_TEXT = "january february march april may june july august september october november december"
_ONES, _MONTHS = _ONES_TEXT.split(), _MONTHS_TEXT.split()
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = {word: value for value, word in enumerate(_ONES, 1)} | {
    word: 10 * place for place, word in enumerate(_TENS, 2)
}
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_TENS_AND_ONES = rf"(?:{'|'.join(_TENS)})[-\s](?:{'|'.join(_ONES[:9])})"
_NUMBER_WORD = (
    rf"(?:{_TENS_AND_ONES}|{'|'.join((*_TENS, *_ONES))}|(?:half\s)?a\sdozen)(?:\s(?:hundred|thousand))?"
    r"|a\s(?:hundred|thousand)"
)
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MONTH = rf"(?:{'|'.join(_MONTHS)}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?"
_NTH = r"(?:st|nd|rd|th)"

# Order and phone numbers, addresses of mails and pages, placeholders: digits that count nothing.
_CODE = re.compile(
    r"\S+@\S+|https?://\S+|www\.\S+|\[[A-Z_0-9]+\]|#\s?\d+|\b[A-Za-z]+[-_]?\d[\w-]*|\b\d+[-/]\d[\d/-]*\d\b"
    r"|\+?\d[\d ().-]{7,}\d|\b\d{5,}\b(?![.,]\d)(?! ?(?:yen|¥|km|points))"
)
_SHORT_RANGE = re.compile(r"\d{1,3}-\d{1,3}")  # no code, though it looks like one
_FOUND = re.compile(
    rf"""(?ix)
      (?P<clock>\b(?:1[0-2]|0?[1-9])(?:[:.][0-5]\d)?\s?[ap]\.?\s?m\b\.?
        |\b(?:[01]?\d|2[0-3]):[0-5]\d\b|\bnoon\b|\bmidnight\b)
    | (?P<date>\b{_MONTH}\s(?:the\s)?\d{{1,2}}{_NTH}?\b|\b\d{{1,2}}{_NTH}?\s(?:of\s)?{_MONTH})
    | (?P<money>(?P<sign>[$€£¥]|\b(?:USD|EUR|GBP|JPY)\s?)(?P<amount>{_DIGITS})
        |(?<![\w.,])(?P<amount_before>{_DIGITS})\s?(?P<sign_behind>[$€£¥]))
    | (?P<ordinal>\b\d{{1,3}}{_NTH}\b)
    | (?P<percent>(?<![\w.,])(?P<share>{_DIGITS})\s?[%％])
    | (?P<weekday>\b(?:{"|".join(_DAYS)})s?\b)
    | (?P<number>(?<![\w.,])(?<![^\d\s]-)(?:{_DIGITS})(?!\d)|\b(?:{_NUMBER_WORD})\b
        |(?<=within\s)an?\b|(?<=after\s)an?\b)
    """
)
_BEHIND = re.compile(r"[\s-]*((?:[A-Za-z]+['’]?[A-Za-z]*[\s-]+){0,2}[A-Za-z]+)")
_RANGE = re.compile(r"\s?(?:-|–|—|to|or|and|×|x|by)\s?", re.IGNORECASE)


def quantities(text: str) -> list[Quantity]:
    """All quantities of `text`, in order. Order numbers, phone numbers and the like are none.

    >>> [(q.value, q.unit) for q in quantities("Within 3 to 5 business days, free from $45.")]
    [(72.0, 'hours'), (120.0, 'hours'), (45.0, 'dollars')]
    """
    found: list[Quantity] = []
    hidden = _CODE.sub(_hide, text)
    for quantity in reversed(list(_read(hidden))):
        found.append(_of_range(quantity, found[-1], hidden) if found else quantity)
    return found[::-1]


def _hide(code: re.Match[str]) -> str:
    return code[0] if _SHORT_RANGE.fullmatch(code[0]) else "\0" * len(code[0])


def _read(text: str) -> Iterator[Quantity]:
    for match in _FOUND.finditer(text):
        start, end = match.span()
        match match.lastgroup:
            case "clock":
                yield Quantity(_minutes(match[0].lower()), CLOCK, start, end)
            case "date":
                yield from _dated(match[0].lower(), start, end)
            case "money":
                sign = (match["sign"] or match["sign_behind"]).strip().lower()
                amount = _value(match["amount"] or match["amount_before"])
                yield Quantity(amount, CURRENCIES[sign], start, end)
            case "ordinal":
                yield Quantity(float(match[0][:-2]), ORDINAL, start, end)
            case "percent":
                yield Quantity(_value(match["share"]), PERCENT, start, end)
            case "weekday":
                yield Quantity(_DAYS.index(match[0].lower().removesuffix("s")), WEEKDAY, start, end)
            case _:
                yield from _counted(text, match[0], start, end)


def _counted(text: str, number: str, start: int, end: int) -> Iterator[Quantity]:
    """A number with the unit behind it. "one" and "a" count only what can be measured."""
    unit, factor = _unit(text, end)
    if number.lower() in ("one", "a", "an") and (unit == BARE or unit.startswith(COUNT)):
        return
    yield Quantity(round(_value(number) * factor, 6), unit, start, end, factor)


def _unit(text: str, end: int) -> tuple[str, float]:
    """What stands behind a number: its unit and the factor to it."""
    behind = _BEHIND.match(text, end)
    for word in behind[1].lower().replace("-", " ").split() if behind else ():
        stem = next(iter(words(word)), word)
        if stem in UNITS:
            return UNITS[stem]
        if word not in BETWEEN:
            return (BARE if word in NO_NOUN else f"{COUNT}{stem}"), 1.0
    return BARE, 1.0


def _of_range(quantity: Quantity, following: Quantity, text: str) -> Quantity:
    """In "3 to 5 days" the days are the 3's as well."""
    shared = quantity.unit == BARE and following.unit not in (CLOCK, DATE, WEEKDAY, ORDINAL)
    if not shared or not _RANGE.fullmatch(text, quantity.end, following.start):
        return quantity
    value = round(quantity.value * following.factor, 6)
    return Quantity(value, following.unit, quantity.start, quantity.end, following.factor)


def _value(number: str) -> float:
    """
    >>> _value("1,250.5"), _value("Twenty-one"), _value("two hundred"), _value("half a dozen"), _value("a")
    (1250.5, 21.0, 200.0, 6.0, 1.0)
    """
    text = number.lower().replace(",", "")
    if text[0].isdigit():
        return float(text)
    total = 0.0
    for word in re.split(r"[-\s]", text):
        match word:
            case "hundred" | "thousand":
                total = (total or 1.0) * (100 if word == "hundred" else 1000)
            case "half":
                total = 0.5
            case "dozen":
                total *= 12
            case "a" | "an":
                total = total or 1.0
            case _:
                total += _NUMBERS[word]
    return total


def _minutes(time: str) -> float:
    if time in ("noon", "midnight"):
        return 720.0 if time == "noon" else 0.0
    hour, *minutes = (int(number) for number in re.findall(r"\d+", time))
    if "m" in time:
        hour = hour % 12 + (12 if "p" in time else 0)
    return 60.0 * hour + (minutes[0] if minutes else 0)


def _dated(date: str, start: int, end: int) -> Iterator[Quantity]:
    day = int(re.findall(r"\d+", date)[0])
    name = re.search(rf"{_MONTH}", date)
    if name and 1 <= day <= 31:
        month = next(n for n, full in enumerate(_MONTHS, 1) if full.startswith(name[0][:3]))
        yield Quantity(100.0 * month + day, DATE, start, end)
