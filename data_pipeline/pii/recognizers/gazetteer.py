"""Names from lists: countries, and what the people of a country or a creed are called."""

import re
from collections.abc import Iterator

from data_pipeline.pii import words
from data_pipeline.pii.recognizers.base import LIKELY, Recognizer
from data_pipeline.pii.spans import Span

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[.'’\-](?=[^\W\d_]))*")
_FORMAL = re.compile(
    r"(?<!\w)(?:(?:people's|democratic|federal|islamic|united) )*(?:republic|kingdom|state|commonwealth)"
    r" of (?:the )?$",
    re.I,
)
# "US" must not be found in "tell us", nor "Turkey" in a recipe: these only as they are in the list.
_AS_WRITTEN_WORDS = """
    us uk uae eu usa china turkey jordan chad georgia guinea mali niger oman peru cuba togo wales jersey
    polish finn dane pole swede scot czech thai
"""
_AS_WRITTEN = frozenset(_AS_WRITTEN_WORDS.split())


class ListRecognizer(Recognizer):
    """Countries and peoples of the word lists, by whole words: one look-up for each word of the text.

    A country alone points at nobody, and "do you ship to Norway?" needs it: it is a type of its own, COUNTRY,
    which is off by default, as is NRP (nationality, religion, politics).
    """

    entity_types = ("COUNTRY", "NRP")

    def __init__(self) -> None:
        self._by_first_word: dict[str, list[tuple[str, str]]] = {}
        entries = [("COUNTRY", entry) for entry in words.read("countries")]
        entries += [("NRP", entry) for entry in words.read("peoples")]
        for entity_type, entry in sorted(entries, key=lambda item: (-len(item[1]), item)):
            first = _WORD.findall(entry)[0].casefold()
            self._by_first_word.setdefault(first, []).append((entity_type, entry))

    def find(self, text: str) -> Iterator[Span]:
        if self._by_first_word.keys().isdisjoint(_WORD.findall(text.casefold())):
            return
        done = 0
        for match in _WORD.finditer(text):
            start = match.start()
            if start < done:
                continue
            for entity_type, entry in self._by_first_word.get(match[0].casefold(), ()):
                end = start + len(entry)
                if _same(text[start:end], entry) and not text[end : end + 1].isalnum():
                    formal = _FORMAL.search(text, max(done, start - 40), start)
                    yield Span(formal.start() if formal else start, end, entity_type, LIKELY)
                    done = end
                    break


def _same(text: str, entry: str) -> bool:
    return text == entry or (text.casefold() == entry.casefold() and entry.casefold() not in _AS_WRITTEN)
