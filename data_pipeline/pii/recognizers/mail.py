"""E-mail addresses."""

import re
import string
from collections.abc import Iterator

from data_pipeline.pii.recognizers.base import CHECKED, STRONG, Recognizer
from data_pipeline.pii.spans import Span

_ACCENTED = "".join(chr(code) for code in range(0xC0, 0x250))
_LOCAL = string.ascii_letters + string.digits + _ACCENTED + "!#$%&'+-/=?^_`{|}~."
_DOMAIN = re.compile(
    r"(?:[a-z0-9À-ɏ](?:[a-z0-9À-ɏ-]{0,62})\.){1,8}(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59})(?![a-z0-9-])", re.I
)
_SPELLED = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64} ?[\[(] ?at ?[\])] ?[\w-]{1,63}(?:(?:\.|"
    r" ?[\[(] ?dot ?[\])] ?)[\w-]{1,63}){1,4}",
    re.I,
)
_LONGEST_LOCAL = 64  # RFC 5321


class EmailRecognizer(Recognizer):
    """`someone@example.org`, and `someone [at] example [dot] org`."""

    entity_types = ("EMAIL_ADDRESS",)

    def find(self, text: str) -> Iterator[Span]:
        at = text.find("@")
        while at >= 0:
            span = _around(text, at)
            if span:
                yield span
            at = text.find("@", at + 1)
        if "at)" in text or "at]" in text or "at )" in text or "at ]" in text:
            for match in _SPELLED.finditer(text):
                yield Span(match.start(), match.end(), "EMAIL_ADDRESS", STRONG)


def _around(text: str, at: int) -> Span | None:
    before = text[max(0, at - _LONGEST_LOCAL) : at]
    # A string's own strip is linear, where a pattern that ends in "@" would be tried from every character.
    local = before[len(before.rstrip(_LOCAL)) :].lstrip("!#$%&'*+-/=?^`{|}~.")
    domain = _DOMAIN.match(text, at + 1)
    if not local or local.endswith(".") or domain is None:
        return None
    return Span(at - len(local), domain.end(), "EMAIL_ADDRESS", CHECKED)
