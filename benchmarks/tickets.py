"""Rows of data sets, and the sample company's tickets as conversations, for benchmarks of single steps."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.chat.messages import Message
from data_pipeline.sources import zendesk
from data_pipeline.steps.html_to_text import html_to_text
from data_pipeline.steps.normalise_unicode import normalise_unicode
from data_pipeline.steps.normalise_whitespace import normalise_whitespace


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file, gzipped or not."""
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
    yield from map(json.loads, lines)


def clean(ticket: dict[str, Any]) -> list[Message]:
    """A ticket's public comments as a build cleans them; personal data is still there."""
    said = [one for one in zendesk.read(ticket).messages if not one["internal"]]
    return [Message(role=one["role"], content=_clean(one["content"])) for one in said]


def _clean(text: str) -> str:
    return normalise_whitespace(normalise_unicode(html_to_text(text)))
