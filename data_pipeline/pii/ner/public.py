"""The public sets of named entities, as texts with spans. They are read for training only, never shipped."""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from common.errors import UserError
from data_pipeline.pii.ner.labelled import Labelled
from data_pipeline.pii.spans import Span

SETS = ("btc", "wnut17", "wikigold")
_TYPES = {
    "PER": "PERSON",
    "PERSON": "PERSON",
    "LOC": "LOCATION",
    "LOCATION": "LOCATION",
    "ORG": "ORGANIZATION",
    "CORPORATION": "ORGANIZATION",
    "GROUP": "ORGANIZATION",
}
"""Other kinds (products, works, MISC) are no personal data."""
_NO_PLACES = frozenset(
    ["us", "usa", "u.s.", "u.s.a.", "uk", "u.k.", "eu", "europe", "america", "asia", "africa"]
)
"""Whole continents and unions tell nothing about a person; support questions are full of them."""
_NO_SPACE_BEFORE = re.compile(r"^(?:[.,!?;:)\]}%’]|'s|n't|'m|'re|'ve|'ll|'d|'t)", re.IGNORECASE)


def paths(folder: Path) -> list[Path]:
    """The training parts of btc, wnut17 and wikigold. Raises UserError where one is missing."""
    found = [folder / name / "train.jsonl.gz" for name in SETS]
    for path in found:
        if not path.is_file():
            raise UserError(
                f"no public set at '{path}'",
                "public_data must hold btc, wnut17 and wikigold, each with a train.jsonl.gz",
            )
    return found


def read_public(folder: Path) -> list[Labelled]:
    """The sets' sentences. Raises UserError where a set is missing or broken."""
    return [text for path in paths(folder) for text in _read(path)]


def _read(path: Path) -> Iterator[Labelled]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                yield join(row["tokens"], row["tags"])
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{path}, line {number}: {error!r}", "each line needs tokens and tags"
                ) from None


def join(tokens: Sequence[str], tags: Sequence[str]) -> Labelled:
    """Tokens with BIO or IO tags as a text; spaces go where English has them."""
    text = ""
    spans: list[Span] = []
    open_quote = False
    previous = "O"
    for token, tag in zip(tokens, tags, strict=True):
        in_quotes = open_quote and '"' in (token, text[-1:])
        glued = not text or _NO_SPACE_BEFORE.match(token) or text[-1] in "([{#$£" or in_quotes
        if token == '"':
            open_quote = not open_quote
        text += token if glued else f" {token}"
        entity = _TYPES.get(tag[2:].upper())
        if entity and token.lower() in _NO_PLACES:
            entity, tag = None, "O"
        if entity:
            goes_on = tag[0] == "I" and previous[2:] == tag[2:]
            start = spans.pop().start if goes_on else len(text) - len(token)
            spans.append(Span(start, len(text), entity, 1.0))
        previous = tag
    return Labelled(text, tuple(spans))
