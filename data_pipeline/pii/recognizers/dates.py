"""Dates of birth, ages, and dates in general."""

import re
from collections.abc import Iterator

from data_pipeline.pii.recognizers.base import LIKELY, STRONG, Recognizer, holds_any
from data_pipeline.pii.recognizers.cues import words
from data_pipeline.pii.spans import Span

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = r"(?:19|20)\d\d"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?: ?[ap]\.?m\b\.?)?"
_AND_TIME = rf"(?:[T ,]{{1,2}}{_TIME}(?:Z|[+-]\d\d:?\d\d)?)?"
_DAY_FIRST = re.compile(
    rf"(?<![A-Za-z\d_À-ɏ.,/\-])(?:{_YEAR}(?P<s>[-/.])\d{{1,2}}(?P=s)\d{{1,2}}|\d{{1,2}}(?P<t>[-/.])"
    rf"\d{{1,2}}(?P=t)(?:{_YEAR}|\d\d)|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ \-]{_MONTH}(?:,?[ \-](?:{_YEAR}|'\d\d))?|"
    rf"(?:{_YEAR}|(?:昭和|平成|令和)\d{{1,2}})年(?:\d{{1,2}}月(?:\d{{1,2}}日)?)?){_AND_TIME}(?![A-Za-z\d_À-ɏ/%]|[.\-]\d)",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"(?<![A-Za-z\d_À-ɏ\-]){_MONTH}(?:[ \-]\d{{1,2}}(?:st|nd|rd|th)?(?:,? {_YEAR})?{_AND_TIME}|,? {_YEAR})"
    rf"(?![A-Za-z\d_À-ɏ/%]|[.\-]\d)",
    re.IGNORECASE,
)
_YEAR_ALONE = re.compile(rf"(?<![A-Za-z\d_À-ɏ.\-/]){_YEAR}(?![A-Za-z\d_À-ɏ\-/]|\.\d)")
_CLOCK = re.compile(
    rf"(?<![A-Za-z\d_À-ɏ:.])(?:{_TIME}|\d{{1,2}} ?[ap]\.?m\b\.?)(?![A-Za-z\d_À-ɏ:]|\.\d)", re.IGNORECASE
)
_DAYS = ("day", "noon", "midnight", "tomorrow")
_DAY = words(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?", r"weekday", r"noon", r"midnight", r"yesterday",
    r"tomorrow",
)  # fmt: skip

_BORN_HINTS = (
    "born",
    "birth",
    "dob",
    "d.o.b",
    "bday",
    "b-day",
    "gebor",
    "geburt",
    "né",
    "naci",
    "naiss",
    "生",
)
_BORN = words(
    r"born(?: on| in)?", r"date of birth", r"d\.?o\.?b\.?", r"birth ?da(?:y|te)", r"bday", r"b-day",
    r"geboren(?: am)?", r"née? le", r"naci(?:do|da|ó)(?: el)?", r"fecha de nacimiento",
    r"date de naissance", r"geburtsdatum",
)  # fmt: skip
_BORN_JAPANESE = re.compile(r"生年月日|誕生日")
_BORN_AFTER = re.compile(r" ?(?:生まれ|生(?![^\W\d_]))")
_REACH = 24
"""So many characters may lie between "born on" and the date."""

_NUMBER = re.compile(r"(?<![A-Za-z\d_À-ɏ.,:/\-£$€¥])\d{1,3}(?![\d:%€£$¥/+]|[.,]\d)")
_AGE_BEFORE = re.compile(
    r"(?<![A-Za-z\d_À-ɏ])(?:aged?|age is|age ?[:=]|age of|turn(?:ed|ing|s)?|i(?:'|’)?m|i am|(?:s?he|they)"
    r"(?:'|’)s|s?he is) ?$",
    re.IGNORECASE,
)
_AGE_AFTER = re.compile(
    r"[ \-]?(?:(?:years?|yrs?)[ \-]?olds?|y/?o|yrs?\.? old|歳|才)(?![a-z])", re.IGNORECASE
)
_NO_AGE_BEFORE = re.compile(
    r"(?i)(?<![A-Za-z\d_À-ɏ])(?:under|over|above|below|than|between|from|ages|least|rated|suitable|"
    r"recommended|for|to|until)"
    r"(?: (?:age|ages|aged|a|an|the))? ?$"
)
_NO_AGE_AFTER = re.compile(
    r"(?i) ?(?:\+|and (?:up|over|older|above|under)|or (?:older|over|above|younger|under)|years? later|"
    r"of the|"
    r"(?:days?|weeks?|months?|hours?|minutes?|volumes?|books?|km|miles|percent|orders?|items?|steps?|th|st|"
    r"nd|rd)\b)"
)
_CLAUSE_END = re.compile(r" ?(?:[.,;!?)\n]|$|and |with |years|now|today)")
_OLDEST = 120


def dates(text: str) -> Iterator[re.Match[str]]:
    """Full dates, and months with their day or year."""
    ends = set()
    for match in _DAY_FIRST.finditer(text):
        ends.add(match.end())
        yield match
    if holds_any(text.lower(), _MONTHS):
        yield from (match for match in _MONTH_FIRST.finditer(text) if match.end() not in ends)


class BirthDateRecognizer(Recognizer):
    """A date, or a year, after words such as "born on". Other dates are the substance of tickets and stay."""

    entity_types = ("DATE_OF_BIRTH",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        if not holds_any(text.lower(), _BORN_HINTS):
            return
        cues = [match.end() for pattern in (_BORN, _BORN_JAPANESE) for match in pattern.finditer(text)]
        whole = list(dates(text))
        ends = {match.end() for match in whole}
        years = [
            m
            for m in _YEAR_ALONE.finditer(text)
            if m.end() not in ends and text[m.end() : m.end() + 1] != "年"
        ]
        for match in sorted((*whole, *years), key=re.Match.start):
            near = any(0 <= match.start() - cue <= _REACH for cue in cues)
            if near or _BORN_AFTER.match(text, match.end()):
                yield Span(match.start(), match.end(), "DATE_OF_BIRTH", STRONG)


class DateTimeRecognizer(Recognizer):
    """Any date, weekday or time of day. Left out by default: without its dates a ticket makes no sense."""

    entity_types = ("DATE_TIME",)

    def find(self, text: str) -> Iterator[Span]:
        found = [*dates(text), *_CLOCK.finditer(text)]
        if holds_any(text.lower(), _DAYS):
            found += _DAY.finditer(text)
        for match in found:
            yield Span(match.start(), match.end(), "DATE_TIME", LIKELY)


class AgeRecognizer(Recognizer):
    """The number in "aged 34", "I'm 34," and "34 years old"; not the ages that a book is meant for."""

    entity_types = ("AGE",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        for match in _NUMBER.finditer(text):
            start, end = match.span()
            if int(match[0]) > _OLDEST or _NO_AGE_AFTER.match(text, end):
                continue
            before = text[max(0, start - 24) : start]
            if after := _AGE_AFTER.match(text, end):
                if not _NO_AGE_BEFORE.search(before) and not _NO_AGE_AFTER.match(text, after.end()):
                    yield Span(start, end, "AGE", STRONG)
            elif _AGE_BEFORE.search(before) and _CLAUSE_END.match(text, end):
                yield Span(start, end, "AGE", LIKELY)
