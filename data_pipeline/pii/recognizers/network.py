"""Addresses on the network."""

import ipaddress
import re
from collections.abc import Iterator

from data_pipeline.pii.recognizers.base import CHECKED, LIKELY, STRONG, Recognizer
from data_pipeline.pii.recognizers.cues import is_before, words
from data_pipeline.pii.spans import Span

_IPV4 = re.compile(r"(?<![A-Za-z\d_À-ɏ.\-])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?![A-Za-z\d_À-ɏ\-]|\.\d)")
_IPV6 = re.compile(
    r"(?<![A-Za-z\d_À-ɏ:.])[0-9a-f:]{3,39}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![A-Za-z\d_À-ɏ:])", re.I
)
_VERSION = words(
    "version", "v", "firmware", "release", "build", "ios", "android", "chrome", "update", "section"
)

_LINK = re.compile(
    r"(?<![A-Za-z\d_À-ɏ@])(?:https?://|ftp://|www\.)[^\s<>*\"「」『』（）、。　]{3,2048}", re.I
)
_SURE_DOMAIN = """
    com org net edu gov info biz io app dev shop store online site tech blog cloud xyz club example
    uk jp de fr nl pl es se dk fi cz hu ch ro gr pt sk si hr bg lt lv ee ua ru tr il kr cn tw hk sg nz au za
    br mx ar cl pe uy co ca ie eu lu tn ma eg ng ke vn th ph my pk lk
"""
_DOMAIN = re.compile(
    r"(?<![A-Za-z\d_À-ɏ@.\-/])(?:[a-z0-9À-ɏ](?:[a-z0-9À-ɏ-]{0,62})\.){1,4}(?:"
    + "|".join(_SURE_DOMAIN.split())
    + r")(?![A-Za-z\d_À-ɏ@-]|\.[a-z])(?:/[^\s<>*\"]{0,2048})?",
    re.IGNORECASE,
)
_CLOSING = ".,;:!?'\"*_~"
# File names and abbreviations that end like a domain.
_NO_DOMAIN = re.compile(r"(?i)(?:e\.g|i\.e|a\.k\.a|p\.s|vs|etc|no|st|dr|mr|mrs|ms)\.\w+|\d+\.\w+")


class IpAddressRecognizer(Recognizer):
    """IPv4 and IPv6; `1.2.3.4` is not one after a word such as "version"."""

    entity_types = ("IP_ADDRESS",)
    needs_digit = True

    def find(self, text: str) -> Iterator[Span]:
        for match in _IPV4.finditer(text):
            octets = match[0].partition("/")[0].split(".")
            if all(int(octet) < 256 for octet in octets) and not is_before(_VERSION, text, match.start(), 16):
                yield Span(match.start(), match.end(), "IP_ADDRESS", STRONG)
        if text.count(":") > 1:
            for match in _IPV6.finditer(text):
                if match[0].count(":") > 1 and len(match[0].replace(":", "")) > 2 and _is_ipv6(match[0]):
                    yield Span(match.start(), match.end(), "IP_ADDRESS", CHECKED)


class UrlRecognizer(Recognizer):
    """Links, and bare domains of the well-known endings."""

    entity_types = ("URL",)

    def find(self, text: str) -> Iterator[Span]:
        if "://" in text or "www." in text or "WWW." in text or "Www." in text:
            for match in _LINK.finditer(text):
                yield Span(match.start(), match.start() + len(_trimmed(match[0])), "URL", CHECKED)
        if "." in text:
            for match in _DOMAIN.finditer(text):
                domain = _trimmed(match[0])
                if not _NO_DOMAIN.fullmatch(domain):
                    yield Span(match.start(), match.start() + len(domain), "URL", LIKELY)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _trimmed(link: str) -> str:
    """Without what ends the sentence, and without a bracket that was opened before the link."""
    link = link.rstrip(_CLOSING)
    while link.endswith((")", "]")) and link.count(link[-1]) > link.count("(" if link[-1] == ")" else "["):
        link = link[:-1].rstrip(_CLOSING)
    return link
