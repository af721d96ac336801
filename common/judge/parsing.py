"""The verdict in a judge's text. Nothing is repaired or rounded: what is not said plainly is no verdict."""

import json
import re
from collections.abc import Iterable
from typing import Any, get_args

from common.judge.verdicts import Position

Json = dict[str, Any]


class ParseError(ValueError):
    """There is no verdict in the text; the message quotes nothing of it."""


def find_verdict(text: str, material: str, *, alone: bool) -> Json:
    """The object that counts as the judge's verdict.

    That is the last JSON object of `text` which does not also stand in `material`, the text that was judged:
    a reply may hold a verdict of its own making, and a judge may quote it or do as it is told. With `alone`,
    `text` must be one object and nothing else.

    Raises:
        ParseError: there is none.
    """
    found = _only_object(text) if alone else objects_in(text)
    if not found:
        raise ParseError("not one JSON object alone" if alone else "no JSON object")
    quoted = objects_in(material)
    own = [each for each in found if each not in quoted]
    if not own:
        raise ParseError("only JSON that was quoted from the judged text")
    return own[-1]


def read_scores(verdict: Json, criteria: Iterable[str]) -> tuple[dict[str, int], str]:
    """Scores by criterion, and the reason.

    Raises:
        ParseError: one is missing, or not an integer from 1 to 5 (true, 4.0 and "4" are none).
    """
    scores = {}
    for name in criteria:
        score = verdict.get(name)
        if type(score) is not int or not 1 <= score <= 5:
            raise ParseError(f"{name} is no integer from 1 to 5")
        scores[name] = score
    return scores, _reason(verdict)


def read_winner(verdict: Json) -> tuple[Position, str]:
    """The preferred position, and the reason.

    Raises:
        ParseError: one is missing, or not what it should be.
    """
    winner = verdict.get("winner")
    for position in get_args(Position):
        if winner == position:
            return position, _reason(verdict)
    raise ParseError("winner is none of first, second and tie")


def objects_in(text: str) -> list[Json]:
    """The JSON objects in a text, in their order, without those inside of another."""
    found: list[Json] = []
    end = 0
    for opening in _OPENING.finditer(text):
        if opening.start() < end:
            continue
        try:
            value, end = _DECODER.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            continue
        found.append(value)
    return found


def _only_object(text: str) -> list[Json]:
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return []
    return [value] if isinstance(value, dict) else []


def _reason(verdict: Json) -> str:
    reason = verdict.get("reason")
    if not isinstance(reason, str):
        raise ParseError("reason is no text")
    return reason


def _without_repeats(pairs: list[tuple[str, Any]]) -> Json:
    """A key given twice would have two values, of which `json` takes the last."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


_OPENING = re.compile(r'\{(?=\s*["}])')
_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats)
