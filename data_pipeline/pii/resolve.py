"""From the findings of many to one list of spans, none overlapping another.

1. Overlapping spans of one family are one: names with names, places (addresses, towns, countries, post codes)
   with places. The union is an ADDRESS if one of them is.
2. Where families overlap, the higher priority wins: the company's own patterns, then recognisers in the order
   of `_ORDER`, then the model. Among equals the surer span wins, then the longer, then the first.
3. What the loser has beyond the winner stays, if there is a letter or digit in it: nothing found is let go.
"""

import re
from collections.abc import Iterable, Sequence

from data_pipeline.pii.ranges import Ranges
from data_pipeline.pii.spans import Span

PLACES = frozenset({"ADDRESS", "LOCATION", "COUNTRY", "ZIP_CODE"})
_ORDER = (
    "EMAIL_ADDRESS", "URL", "IBAN_CODE", "CREDIT_CARD", "IP_ADDRESS", "US_SSN", "US_DRIVER_LICENSE",
    "DATE_OF_BIRTH", "DATE_TIME", "ADDRESS", "PHONE_NUMBER", "ZIP_CODE", "AGE", "TITLE", "PERSON",
    "COUNTRY", "NRP",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(_ORDER, start=1)}
_CUSTOM, _LAST = 0, len(_ORDER) + 1
_MODEL = 100
Candidate = tuple[int, Span]
"""A span and its priority: the lower, the higher."""

_EDGE = " \t\r\n\u00a0\u3000.,;:!?\"'“”‘’()[]{}<>|/*_~–—-"

_ABBREVIATION = re.compile(r"(?<!\w)(?:Jr|Sr|Inc|Ltd|Co|Corp|LLC|St|Str|Ave|Rd|Blvd)$", re.IGNORECASE)


def by_rules(spans: Iterable[Span], custom: Iterable[str] = ()) -> list[Candidate]:
    """Spans of recognisers, with their priority; `custom` are the company's own types."""
    own = frozenset(custom)
    return [
        (_CUSTOM if span.entity_type in own else _RANK.get(span.entity_type, _LAST), span) for span in spans
    ]


def by_model(spans: Iterable[Span]) -> list[Candidate]:
    """Spans of a detector, with their priority."""
    return [(_MODEL, span) for span in spans]


def resolve(text: str, candidates: Sequence[Candidate]) -> list[Span]:
    """Spans by start, none overlapping another."""
    if len(candidates) < 2:
        return [span for _, span in candidates]
    merged = _merge_families(candidates)
    merged.sort(key=lambda c: (c[0], -c[1].score, c[1].start - c[1].end, c[1].start, c[1].entity_type))
    kept: list[Span] = []
    taken = Ranges()
    for _, span in merged:
        for part in _uncovered(text, span, taken):
            taken.add(part.start, part.end)
            kept.append(part)
    return sorted(kept, key=lambda span: span.start)


def trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The range without white space and punctuation at its ends; None if no letter or digit is left."""
    part = text[start:end]
    left = len(part) - len(part.lstrip(_EDGE))
    right = len(part.rstrip(_EDGE))
    if left >= right or not any(map(str.isalnum, part)):
        return None
    right += part[right : right + 1] == "." and _ABBREVIATION.search(part[:right]) is not None
    return start + left, start + right


def _family(entity_type: str) -> str:
    return "PLACE" if entity_type in PLACES else entity_type


def _merge_families(candidates: Sequence[Candidate]) -> list[Candidate]:
    by_family: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_family.setdefault(_family(candidate[1].entity_type), []).append(candidate)
    merged: list[Candidate] = []
    for members in by_family.values():
        members.sort(key=lambda c: (c[1].start, -c[1].end))
        first = len(merged)
        for candidate in members:
            if len(merged) > first and candidate[1].start < merged[-1][1].end:
                merged[-1] = _union(merged[-1], candidate)
            else:
                merged.append(candidate)
    return merged


def _union(one: Candidate, other: Candidate) -> Candidate:
    a, b = one[1], other[1]
    rank, entity_type = min(((one[0], a.entity_type), (other[0], b.entity_type)))
    if "ADDRESS" in (a.entity_type, b.entity_type):
        entity_type = "ADDRESS"
    return rank, Span(a.start, max(a.end, b.end), entity_type, max(a.score, b.score))


def _uncovered(text: str, span: Span, taken: Ranges) -> list[Span]:
    """The parts of `span` that nothing has taken."""
    others = taken.touched_by(span.start, span.end)
    if not others:
        return [span]
    starts = [span.start, *(end for _, end in others)]
    ends = [*(start for start, _ in others), span.end]
    ranges = (trimmed(text, start, end) for start, end in zip(starts, ends, strict=True) if start < end)
    return [Span(found[0], found[1], span.entity_type, span.score) for found in ranges if found]


_BETWEEN = re.compile(
    r"[ \t,;.\-–/|?>\r\n]{1,12}"
    r"(?:(?:[^\W\d_a-z][\w'’.\-]{0,24}|nan|\d{4,6})(?:[ \-](?:[^\W\d_a-z][\w'’.\-]{0,24}|\d{1,2}|d[aeou]s?|"
    r"del|l[ae]s?|van|am|an|der)){0,4}[ ,;\r\n?>|]{1,8}){0,2}"
    r"|[ ,?>]{0,8}\r?\n[ ?>]{0,8}[^\W\d_][^\n\d]{0,40}\r?\n[ ?>]{0,8}"
)
_CODE_AFTER = re.compile(
    r"[ \t,;\r\n?>|]{1,8}(?:(?:[A-Z]{2,3}|nan),? \n?)?\d{4,6}(?:-\d{3,4})?(?![\w\-/:]|\.\d)"
)
_COUNTRY_CODE = re.compile(r" \d{5}(?![\w\-/:]|\.\d)")
_HOUSE_BEFORE = re.compile(r"(?<![\w.,/\-])\d{1,5}[A-Za-z]?,? $")


def join_places(text: str, spans: Sequence[Span]) -> list[Span]:
    """An address in one piece: streets, flats, towns, countries and post codes that follow each other.

    Two pieces are joined when one of them is an ADDRESS and only commas, line ends, a post code, two groups
    of capitalised words or a line without digits part them. A post code after an address, and a house number
    before it, belong to it. A country with five digits after it is the end of an address.
    """
    joined: list[Span] = []
    nexts = [*(span.start for span in spans[1:]), len(text)]
    for span, limit in zip(spans, nexts, strict=True):
        code = _COUNTRY_CODE.match(text, span.end) if span.entity_type in ("COUNTRY", "LOCATION") else None
        if code and code.end() <= limit:
            span = Span(span.start, code.end(), "ADDRESS", span.score)
        last = joined[-1] if joined else None
        if last and span.entity_type in PLACES and last.entity_type in PLACES and _belong(text, last, span):
            joined[-1] = Span(last.start, span.end, "ADDRESS", max(last.score, span.score))
        else:
            joined.append(span)
    grown: list[Span] = []
    nexts = [*(span.start for span in joined[1:]), len(text)]
    for span, limit in zip(joined, nexts, strict=True):
        grown.append(_grown(text, span, grown[-1].end if grown else 0, limit))
    return grown


def _belong(text: str, one: Span, other: Span) -> bool:
    if not {"ADDRESS", "ZIP_CODE"}.intersection((one.entity_type, other.entity_type)):
        return False
    return other.start <= one.end or _BETWEEN.fullmatch(text, one.end, other.start) is not None


def _grown(text: str, span: Span, floor: int, limit: int) -> Span:
    """An address with the house number before it, from `floor` on, and the code after it, up to `limit`."""
    if span.entity_type != "ADDRESS":
        return span
    start, end = span.start, span.end
    if (code := _CODE_AFTER.match(text, end)) and code.end() <= limit:
        end = code.end()
    if house := _HOUSE_BEFORE.search(text, max(floor, start - 8), start):
        start = house.start()
    return Span(start, end, "ADDRESS", span.score)
