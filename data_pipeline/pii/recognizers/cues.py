"""Words beside a number that tell what it is."""

import re

_WINDOW = 48


def words(*alternatives: str) -> re.Pattern[str]:
    """A pattern of whole words, whatever their case."""
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")


def distance_before(cue: re.Pattern[str], text: str, start: int, window: int = _WINDOW) -> int | None:
    """How many characters lie between the last `cue` of the window before `start` and `start`."""
    before = text[max(0, start - window) : start]
    last = None
    for match in cue.finditer(before):
        last = match
    return None if last is None else len(before) - last.end()


def is_before(cue: re.Pattern[str], text: str, start: int, window: int = _WINDOW) -> bool:
    """Whether `cue` is in the window before `start`."""
    return cue.search(text, max(0, start - window), start) is not None


def fills_line(text: str, start: int, end: int) -> bool:
    """Whether nothing else stands in the line of `text[start:end]`, and it is not the only line."""
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    line_end = len(text) if last < 0 else last
    alone = not text[first:start].strip() and not text[end:line_end].strip()
    return alone and (first > 0 or line_end < len(text))
