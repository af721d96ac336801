"""Takes personal data out of conversations: finds it, and writes something else in its place.

scrubber = Scrubber(config, load_engine(config))
[scrubbed] = scrubber.scrub([["Hi, my name is Jo Field.", "Hello Jo!"]])
scrubbed.texts    # ["Hi, my name is [NAME].", "Hello [NAME]!"]
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.conversation import find_in_conversations, spread_names
from data_pipeline.pii.engine import PiiEngine
from data_pipeline.pii.operators import make_operator
from data_pipeline.pii.pseudonyms import Pseudonyms
from data_pipeline.pii.spans import Span

_MOST_PASSES = 6


@dataclass(frozen=True)
class Scrubbed:
    """A conversation's texts without personal data, and how many spans of each type were replaced."""

    texts: list[str]
    counts: Counter[str]


@dataclass(frozen=True)
class _Written:
    """A text after replacement. `kept` are the parts that stayed: start, end, offset to the original."""

    text: str
    kept: tuple[tuple[int, int, int], ...]

    def original(self, span: Span) -> Span | None:
        """Where a span of the written text stood, if no replacement lies in it."""
        start, end, shift = self.kept[bisect_right(self.kept, span.start, key=lambda part: part[0]) - 1]
        if span.start < start or end < span.end:
            return None
        return Span(span.start + shift, span.end + shift, span.entity_type, span.score)


class Scrubber:
    """Scrubs conversations; what becomes of one depends on it and the config alone, not on its neighbours."""

    def __init__(self, config: PiiConfig, engine: PiiEngine) -> None:
        self._engine = engine
        self._operator = make_operator(config)
        self._pseudonyms = config.pseudonyms

    def scrub(self, conversations: Sequence[Sequence[str]]) -> list[Scrubbed]:
        """Scrub each conversation, given as its texts in reading order."""
        found = find_in_conversations(self._engine, conversations)
        return [self._settled(texts, spans) for texts, spans in zip(conversations, found, strict=True)]

    def _settled(self, texts: Sequence[str], found: list[list[Span]]) -> Scrubbed:
        """Replace, and look again by rules, until they find nothing in what has been written.

        A replacement can uncover something: a number that was part of a longer one, a name beside another.
        """
        found = [_with_titles(text, spans) for text, spans in zip(texts, found, strict=True)]
        written = self._write(texts, found)
        for _ in range(_MOST_PASSES):
            more = [
                self._uncovered(text) if spans else [] for text, spans in zip(written, found, strict=True)
            ]
            if not any(more):
                break
            both = [
                sorted([*old, *new], key=lambda span: span.start)
                for old, new in zip(found, more, strict=True)
            ]
            found = spread_names(self._engine, texts, both)
            written = self._write(texts, found)
        counts = Counter(span.entity_type for spans in found for span in spans)
        return Scrubbed([text.text for text in written], counts)

    def _uncovered(self, written: _Written) -> list[Span]:
        spans = self._engine.find_by_rules(written.text)
        return [original for span in spans if (original := written.original(span))]

    def _write(self, texts: Sequence[str], found: Sequence[Sequence[Span]]) -> list[_Written]:
        operator = Pseudonyms() if self._pseudonyms else self._operator
        written = []
        for text, spans in zip(texts, found, strict=True):
            parts: list[str] = []
            kept: list[tuple[int, int, int]] = []
            done = length = 0
            for span in spans:
                value = operator(span.entity_type, text[span.start : span.end])
                parts += (text[done : span.start], value)
                kept.append((length, length + span.start - done, done - length))
                length += span.start - done + len(value)
                done = span.end
            parts.append(text[done:])
            kept.append((length, length + len(text) - done, done - length))
            written.append(_Written("".join(parts), tuple(kept)))
        return written


def _with_titles(text: str, spans: Sequence[Span]) -> list[Span]:
    """A title and the name after it are one: `[NAME]`, not `[TITLE] [NAME]`."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.entity_type == "TITLE"
            and span.entity_type == "PERSON"
            and text[last.end : span.start].strip(" .") == ""
        ):
            joined[-1] = Span(last.start, span.end, "PERSON", span.score)
        else:
            joined.append(span)
    return joined
