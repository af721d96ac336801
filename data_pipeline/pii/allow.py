"""Words that are never personal data: products, brands, series."""

import re
from collections.abc import Iterable

from data_pipeline.pii import words
from data_pipeline.pii.spans import Span

_BY_FORM = frozenset(
    {"EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "IP_ADDRESS", "AGE", "ZIP_CODE"}
)
"""Known by their form: no list of words can hold them."""
_WORD = re.compile(r"\w+(?:['’.&\-]\w+)*")


class AllowList:
    """Tells whether a span is, or lies within, a phrase of the list; case does not matter."""

    def __init__(self, entries: Iterable[str]) -> None:
        phrases = {_words(entry) for entry in (*words.read("allow_list"), *entries)}
        self._phrases = frozenset(phrase for phrase in phrases if phrase)
        self._longest = max(map(len, self._phrases), default=0)

    def allows(self, text: str, span: Span) -> bool:
        """Whether the span consists of allowed phrases, or is a part of one that stands in the text."""
        if span.entity_type in _BY_FORM:
            return False
        inside = _words(text[span.start : span.end])
        return bool(inside) and (self._consists(inside) or self._is_part(text, span, len(inside)))

    def _consists(self, rest: tuple[str, ...]) -> bool:
        while rest:
            size = next((n for n in range(self._longest, 0, -1) if rest[:n] in self._phrases), 0)
            if not size:
                return False
            rest = rest[size:]
        return True

    def _is_part(self, text: str, span: Span, size: int) -> bool:
        if size >= self._longest:
            return False
        more = self._longest - size
        before = _words(text[max(0, span.start - 24 * more) : span.start])[-more:]
        after = _words(text[span.end : span.end + 24 * more])[:more]
        around = (*before, *_words(text[span.start : span.end]), *after)
        for first in range(len(before) + 1):
            for last in range(len(before) + size, min(len(around), first + self._longest) + 1):
                if around[first:last] in self._phrases:
                    return True
        return False


def _words(text: str) -> tuple[str, ...]:
    return tuple(
        word.removesuffix("'s").removesuffix("’s") for word in map(str.casefold, _WORD.findall(text))
    )
