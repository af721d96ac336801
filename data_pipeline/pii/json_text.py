"""JSON within messages, calls of tools and what they answer, that scrubbing must leave JSON."""

import re

from common import strict_json
from data_pipeline.pii.placeholders import ANY_PLACEHOLDER

_PART = re.compile(
    rf"""
    (?P<string> "(?:[^"\\]|\\.)*" )
    | (?P<bare> (?: {ANY_PLACEHOLDER} | [^\s\[\]{{}},:"] )+ )
    """,
    re.VERBOSE,
)
_PLACEHOLDER = re.compile(ANY_PLACEHOLDER)


def mended(scrubbed: str) -> str:
    """JSON in which a placeholder took the place of a number: as a string it is JSON again.

    What is not JSON then, either, stays as it is.

    >>> mended('{"phone": [PHONE], "days": 3}')
    '{"phone": "[PHONE]", "days": 3}'
    """
    if is_json(scrubbed):
        return scrubbed
    quoted = _PART.sub(_quoted, scrubbed)
    return quoted if is_json(quoted) else scrubbed


def mended_lines(scrubbed: str) -> str:
    """The same for the lines of a message that are calls of tools."""
    lines = scrubbed.split("\n")
    return "\n".join(mended(line) if line.startswith('{"name": ') else line for line in lines)


def is_json(text: str) -> bool:
    """Whether a text is an object or a list in JSON."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        strict_json.parse(text)
    except (ValueError, RecursionError):
        return False
    return True


def _quoted(match: re.Match[str]) -> str:
    bare = match["bare"]
    return f'"{bare}"' if bare and _PLACEHOLDER.search(bare) else match[0]
