"""Card numbers and bank accounts."""

import re
from collections.abc import Iterator

from data_pipeline.pii.recognizers.base import CHECKED, LIKELY, Recognizer
from data_pipeline.pii.recognizers.cues import is_before, words
from data_pipeline.pii.spans import Span

_CARD = re.compile(r"(?<![A-Za-z\d_À-ɏ.+-])\d(?:[ \-]?\d){12,18}(?![A-Za-z\d_À-ɏ]|[.\-]\d)")
# ISO/IEC 7812 prefixes: Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay, Maestro.
_ISSUER = re.compile(
    r"4|5[0-8]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3[47]|6(?:011|22|4[4-9]|5|2|3|7)|35|30[0-5]|3[68]"
)
_CARD_CUE = words("card", "cc", "visa", "mastercard", "amex", "credit", "debit", "カード")
_GROUPED = re.compile(r"\d{4}([ \-])\d{4}\1\d{4}\1\d{1,7}")

_IBAN = re.compile(
    r"(?<![A-Za-z\d_À-ɏ])[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,4})?(?![A-Za-z\d_À-ɏ])",
    re.IGNORECASE,
)
# Country and length, as the SWIFT registry gives them.
_LENGTHS = dict(
    re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18"
        "GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15"
        "PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
)
_IBAN_CUE = words("iban")


class CardRecognizer(Recognizer):
    """13 to 19 digits that a card issuer's numbers begin with and whose checksum (Luhn) is right.

    A wrong checksum is let pass where the number is written in a card's groups after a word such as "card":
    a slip of the pen makes it no less of a secret.
    """

    entity_types = ("CREDIT_CARD",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        for match in _CARD.finditer(text):
            number = re.sub(r"\D", "", match[0])
            if not _ISSUER.match(number):
                continue
            if luhn(number):
                yield Span(match.start(), match.end(), "CREDIT_CARD", CHECKED)
            elif _GROUPED.fullmatch(match[0]) and is_before(_CARD_CUE, text, match.start()):
                yield Span(match.start(), match.end(), "CREDIT_CARD", LIKELY)


class IbanRecognizer(Recognizer):
    """International bank account numbers with a right checksum (ISO 13616), or after the word "IBAN"."""

    entity_types = ("IBAN_CODE",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        for match in _IBAN.finditer(text):
            end = _iban_end(text, match)
            if end:
                yield Span(match.start(), end, "IBAN_CODE", CHECKED)
            elif is_before(_IBAN_CUE, text, match.start(), 24):
                yield Span(match.start(), match.end(), "IBAN_CODE", LIKELY)


def luhn(digits: str) -> bool:
    """Whether the last digit is the checksum of the others."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def iban_is_valid(iban: str) -> bool:
    """Whether the length is the country's and the remainder by 97 is 1; `iban` has no spaces."""
    turned = (iban[4:] + iban[:4]).upper()
    if not turned.isascii() or not turned.isalnum() or str(len(iban)) != _LENGTHS.get(iban[:2].upper()):
        return False
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _iban_end(text: str, match: re.Match[str]) -> int | None:
    """Where the valid number ends: the pattern may have taken words that follow it."""
    end = match.end()
    while end - match.start() >= 15:
        if iban_is_valid(text[match.start() : end].replace(" ", "")):
            return end
        shorter = text.rfind(" ", match.start(), end)
        if shorter < 0:
            return None
        end = shorter
    return None
