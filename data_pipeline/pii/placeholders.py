"""What takes the place of personal data: `[NAME]`, `[NAME_2]`, `[EMAIL:1f0c…]`."""

import re
from collections.abc import Iterable

from data_pipeline.pii.config import PLACEHOLDERS

_NUMBER = r"_[1-9]\d{0,5}"
_HASH = r":[0-9a-f]{16}"
_CIPHER = r":[A-Za-z0-9_\-]{42,4096}={0,2}"  # base64 of an initialisation vector and a block or more


ANY_PLACEHOLDER = r"\[[A-Z][A-Z_]{1,39}(?:_\d{1,6})?(?::[\w\-=]+)?\]"
"""A regular expression for what looks like one, whatever the company calls its own types."""


def word(entity_type: str) -> str:
    """The word in the brackets; a company's own types stand for themselves."""
    return PLACEHOLDERS.get(entity_type, entity_type)


def placeholder_pattern(own_types: Iterable[str] = ()) -> re.Pattern[str]:
    """Matches every placeholder that an operator writes, for our types and for the company's own."""
    words = "|".join(sorted({*PLACEHOLDERS.values(), *own_types}, key=lambda name: (-len(name), name)))
    return re.compile(rf"\[(?P<word>{words})(?:{_NUMBER}|(?P<value>{_HASH}|{_CIPHER}))?\]")
