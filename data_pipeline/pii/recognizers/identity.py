"""Numbers that a state gives to a person."""

import re
from collections.abc import Iterator

from data_pipeline.pii.recognizers.base import STRONG, Recognizer
from data_pipeline.pii.recognizers.cues import distance_before, is_before, words
from data_pipeline.pii.spans import Span

# The Social Security Administration gives out no 000, 666 or 9xx, no group 00 and no serial 0000.
_SSN = re.compile(
    r"(?<![A-Za-z\d_À-ɏ.+\-])(?!000|666|9)(\d{3})([ \-]?)(?!00)(\d{2})\2(?!0000)(\d{4})(?![A-Za-z\d_À-ɏ]|-\d)"
)
_SSN_CUE = words(r"ssn", r"ss ?#", r"social security(?: number| no\.?)?", r"social")
_NOT_SSN = words(
    "order", "tracking", "invoice", "ticket", "reference", "case", "isbn", "phone", "call", "tel"
)

_LICENCE_CUE = words(
    r"driv(?:er'?s?|er’s|ing) licen[cs]e", r"licen[cs]e (?:number|no\.?|#|id)",
    r"d\.?l\.? ?(?:number|no\.?|#)",
)  # fmt: skip
_LICENCE = re.compile(
    r"(?<![A-Za-z\d_À-ɏ\-])(?=[A-Za-z\d\-]{0,4}\d{4})[A-Za-z]{0,3}-?\d{4,14}[A-Za-z]{0,2}(?![A-Za-z\d_À-ɏ])"
)


class SsnRecognizer(Recognizer):
    """US social security numbers: in groups by their form, as one run of digits only where they are named."""

    entity_types = ("US_SSN",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        for match in _SSN.finditer(text):
            named = is_before(_SSN_CUE, text, match.start())
            if named or (match[2] == "-" and not is_before(_NOT_SSN, text, match.start(), 24)):
                yield Span(match.start(), match.end(), "US_SSN", STRONG)


class DriverLicenseRecognizer(Recognizer):
    """US driver's licences have some fifty forms, many of them plain numbers: only where they are named."""

    entity_types = ("US_DRIVER_LICENSE",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        if "icen" not in text and "ICEN" not in text and "DL" not in text and "D.L" not in text:
            return
        for match in _LICENCE.finditer(text):
            distance = distance_before(_LICENCE_CUE, text, match.start())
            if distance is not None and distance <= 24:
                yield Span(match.start(), match.end(), "US_DRIVER_LICENSE", STRONG)
