"""Post codes of many countries."""

import re
from collections.abc import Iterator

from data_pipeline.pii.recognizers.base import STRONG, Recognizer, holds_any
from data_pipeline.pii.recognizers.cues import words
from data_pipeline.pii.spans import Span

US_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|"
    "OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|PR|VI|GU|AS|MP|AA|AE|AP"
)
_UK_AREAS = (
    "AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|FK|"
    "FY|G|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|"
    "NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|"
    "UB|W|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE"
)
# Written with their country, state or mark, these stand alone. "1234 AB" and "123-4567" do not.
_LETTERS_FIRST = re.compile(
    rf"(?<![A-Za-z\d_À-ɏ\-])(?:(?:{_UK_AREAS})\d[A-Z\d]? \d[A-Z]{{2}}|[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d|"
    rf"(?:{US_STATES}) \d{{5}}(?:-\d{{4}})?|(?:D|A|CH|F|B|L|DK|S|N|NL|I|E|P|PL|CZ)-\d{{4,5}})"
    rf"(?![A-Za-z\d_À-ɏ])"
)
_LETTERS_FIRST_HINT = re.compile(r"[A-Z](?:[ \-]?\d{4}|\d[A-Z]? \d|\d\d \d)")
_DIGITS_FIRST = re.compile(
    r"〒 ?\d{3}-?\d{4}(?!\d)|(?<![A-Za-z\d_À-ɏ])\d{4} [A-Z]{2}(?=,? [A-Z][a-z])|(?<![A-Za-z\d_À-ɏ\-])"
    r"\d{5}-\d{3}(?![A-Za-z\d_À-ɏ\-])"
)
_NAMED = re.compile(
    r"(?<![A-Za-z\d_À-ɏ\-$€£¥])(?=[A-Za-z\-]{0,3}\d)(?:[A-Za-z]{1,2}-?)?"
    r"\d[\dA-Za-z]{1,5}(?:[ \-]\d[\dA-Za-z]{1,3})?(?![A-Za-z\d_À-ɏ\-])"
)
_CUE_HINTS = ("zip", "post", "plz", "cep", "cap", "digo", "pin ", "pincode", "郵便")
_CUE = words(
    r"zip(?: ?codes?)?", r"post ?codes?", r"postal(?: codes?)?", r"plz", r"postleitzahl", r"code postal",
    r"cep", r"cap", r"código postal", r"codigo postal", r"pin ?code",
)  # fmt: skip
_CUE_JAPANESE = re.compile(r"郵便番号")
_REACH, _SHORTEST = 16, 4


class PostcodeRecognizer(Recognizer):
    """Codes of a form of their own, and others after a word such as "zip"."""

    entity_types = ("ZIP_CODE",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        found = list(_DIGITS_FIRST.finditer(text))
        if _LETTERS_FIRST_HINT.search(text):
            found += _LETTERS_FIRST.finditer(text)
        if holds_any(text.lower(), _CUE_HINTS):
            found += _named(text)
        for match in found:
            yield Span(match.start(), match.end(), "ZIP_CODE", STRONG)


def _named(text: str) -> Iterator[re.Match[str]]:
    for cue in (_CUE, _CUE_JAPANESE):
        for named in cue.finditer(text):
            code = _NAMED.search(text, named.end(), named.end() + _REACH + 10)
            if code and len(code[0]) >= _SHORTEST and code.start() - named.end() <= _REACH:
                yield code
