"""Telephone numbers of many countries.

No table of number plans: a number is known by its form (a country code, an area code in brackets, the groups
of North America, a leading 0), or by the words before it. In tickets most numbers are something else, so a
bare run of digits counts only after a word such as "call", and never when a word such as "order" is nearer.
"""

import re
from collections.abc import Iterator

from data_pipeline.pii.recognizers.base import LIKELY, STRONG, Recognizer
from data_pipeline.pii.recognizers.cues import distance_before, fills_line, words
from data_pipeline.pii.spans import Span

_GROUPS = r"(?:[ .\-]\d{2,4}){1,4}"
_CANDIDATE = re.compile(
    rf"""(?<![A-Za-z\d_À-ɏ.,:/#+\-$€£¥%])(?:
      (?P<international>
        (?:\+|00)\d{{1,3}}[ .\-]?(?:\(\d{{1,5}}\)[ .\-]?)?\d{{1,5}}(?:[ .\-]?\d{{2,5}}){{1,5}})
    | (?P<bracket>(?:\d{{1,3}}[ \-]?)?\(\d{{2,5}}\)[ \-]?\d{{2,4}}(?:[ .\-]?\d{{2,4}}){{1,3}})
    | (?P<american>(?:1[ .\-])?\d{{3}}[ .\-]\d{{3}}[ .\-]\d{{4}})
    | (?P<trunk>0\d{{1,4}}(?:[ .\-]\d{{2,8}}){{1,4}}|0\d{{2,4}}/\d{{5,8}})
    | (?P<run>\d{{7,13}})
    | (?P<groups>\d{{2,4}}{_GROUPS}|\d{{2,4}}[ \-]\d{{5,6}})
    )(?:\ ?(?:x|ext\.?|extension)\ ?\d{{1,6}})?(?![A-Za-z\d_À-ɏ%€£¥]|[.,:/\-+]\d)""",
    re.VERBOSE | re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:\d{1,2}([-./])\d{1,2}\1(?:\d{2}|\d{4})|(?:19|20)\d\d([-./])\d{1,2}\2\d{1,2})(?: \d{1,2})?"
)
_ISBN = re.compile(r"97[89][ \-]?\d[\d \-]*")
_YEARS = re.compile(r"(?:19|20)\d\d[ \-](?:19|20)\d\d")
_PHONE = words(
    r"(?:tele)?phone", r"tel", r"mobile", r"cell(?:ular|phone)?", r"fax", r"call(?:ed|ing|s)?", r"dial",
    r"ring", r"rang", r"reach(?:ed)?", r"answering(?: at)?", r"whats?app", r"sms", r"text(?:ed)? me",
    r"contact", r"phoned", r"line", r"hotline", r"call-?back", r"handy", r"t[ée]l[ée]phone", r"tel[ée]fono",
    r"numero", r"my number(?: is)?",
)  # fmt: skip
_JAPANESE = re.compile(r"電話|携帯|TEL|連絡先")
_OTHER = words(
    r"orders?", r"purchase", r"tracking", r"parcel", r"invoice", r"ticket", r"case", r"reference", r"ref",
    r"isbn(?:-1[03])?", r"issn", r"ean", r"upc", r"asin", r"sku", r"jan", r"card", r"accounts?", r"iban",
    r"item", r"serial", r"vol(?:ume)?s?", r"chapters?", r"pages?", r"pp", r"code", r"zip", r"postcode",
    r"booking", r"confirmation", r"transaction", r"payment", r"receipt", r"model", r"version", r"id",
    r"ssn", r"article", r"licen[cs]e", r"social security", r"coupon", r"voucher", r"gift card",
    r"member(?:ship)?", r"policy", r"between", r"years?", r"points", r"shipment", r"delivery", r"package",
)  # fmt: skip
_UNIT_AFTER = words(
    r"yen", r"円", r"usd", r"eur", r"dollars?", r"euros?", r"points?", r"pages?", r"volumes?", r"copies",
    r"items?", r"pieces?", r"days?", r"hours?", r"mm", r"cm", r"kg", r"g",
)  # fmt: skip
_LOCAL = re.compile(r"[2-9]\d\d-\d{4}")
_SENTENCE_END = re.compile(r"[.!?;] |\n")
_NAMED_AFTER = re.compile(
    r"(?i)\W{0,3}(?:is |was |= ?)?(?:my |our |the |her |his )?(?:cell|phone|mobile|tel\b|number)"
)
_FEWEST = {"international": 8, "bracket": 7, "american": 10, "trunk": 8, "run": 7, "groups": 6}
_NEAR = 16
_MOST = 15  # ITU-T E.164


class PhoneRecognizer(Recognizer):
    """Numbers with 6 to 15 digits, and their extension."""

    entity_types = ("PHONE_NUMBER",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        for match in _CANDIDATE.finditer(text):
            kind = match.lastgroup or ""
            number = match.group(kind)
            digits = sum(map(str.isdigit, number))
            if not _FEWEST[kind] <= digits <= _MOST or _is_other(number):
                continue
            score = _score(kind, number, text, match)
            if score:
                yield Span(match.start(), match.end(), "PHONE_NUMBER", score)


def _is_other(number: str) -> bool:
    return any(pattern.fullmatch(number) for pattern in (_DATE, _ISBN, _YEARS))


def _score(kind: str, number: str, text: str, match: re.Match[str]) -> float:
    start, end = match.span()
    phone, other = distance_before(_PHONE, text, start), distance_before(_OTHER, text, start)
    if phone is None and _JAPANESE.search(text, max(0, start - 16), start):
        phone = 0
    own_form = kind in ("international", "bracket", "american") or _is_japanese_mobile(number)
    if other is not None and (phone is None or other < phone):
        # A word of the sentence before says nothing of a number that could be nothing else.
        near = other <= _NEAR and not _SENTENCE_END.search(text, start - other, start)
        if near or not (own_form or fills_line(text, start, end)):
            return 0.0
    if phone is not None or own_form or _NAMED_AFTER.match(text, end):
        return STRONG
    if _UNIT_AFTER.match(text, end + 1):
        return 0.0
    if kind == "trunk" or _LOCAL.fullmatch(number):
        return LIKELY
    return LIKELY if kind == "groups" and fills_line(text, start, end) else 0.0


def _is_japanese_mobile(number: str) -> bool:
    return len(number) == 11 and number[:3] in ("070", "080", "090")
