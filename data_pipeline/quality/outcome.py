"""How it ended for the customer: whether the case was solved, and how it was rated."""

import re
from collections.abc import Mapping
from typing import Any

from data_pipeline.quality.phrases import pattern

_STATUS = {
    "solved": 1.0, "closed": 1.0, "resolved": 1.0, "done": 1.0, "complete": 1.0, "completed": 1.0,
    "pending": 0.5, "hold": 0.5, "on-hold": 0.5, "snoozed": 0.5, "waiting": 0.5,
    "open": 0.25, "new": 0.25, "reopened": 0.0,
    "5": 1.0, "4": 1.0, "3": 0.5, "2": 0.25,
}  # fmt: skip
"""Zendesk's and Intercom's words, Freshdesk's numbers. An open case may be answered well: it is not 0."""

_LAST_WORDS_COUNT = 2
"""Beside a status. Cases close by themselves, also unsolved ones; nobody says thanks by himself."""

_SOLVED, _UNSOLVED = pattern("solved"), pattern("unsolved")
_SHOUTED = re.compile(r"\?!|!\?|\?\?|!!!")


def resolution(fields: Mapping[str, Any], last_words: str | None) -> float | None:
    """Whether the case was solved, 0 to 1; None where nothing tells.

    A `reward` (0 to 1, as task benchmarks give it) tells it alone; else the status and the customer's last
    words do.
    """
    reward = fields.get("reward")
    if isinstance(reward, (int, float)) and not isinstance(reward, bool) and 0 <= reward <= 1:
        return float(reward)
    status = _STATUS.get(str(fields.get("status", "")).strip().lower())
    said = None if last_words is None else satisfaction_said(last_words)
    if said is None:
        return status
    if status is None:
        return said
    return (_LAST_WORDS_COUNT * said + status) / (_LAST_WORDS_COUNT + 1)


def satisfaction_said(text: str) -> float | None:
    """1 for thanks, 0 for words of somebody who was not helped, which win over thanks; None for neither.

    >>> [satisfaction_said(text) for text in ("perfect, cheers", "Thanks for nothing", "In May?")]
    [1.0, 0.0, None]
    """
    if _UNSOLVED.search(text) or _SHOUTED.search(text):
        return 0.0
    return 1.0 if _SOLVED.search(text) else None


_RATINGS_TEXT = (
    "rating conversation_rating csat satisfaction satisfaction_rating satisfaction_score stars thumbs"
)
_RATINGS = _RATINGS_TEXT.split()
"""Fields that may hold a rating; the first that is there counts. `rating` is finer than `csat`, which some
sources make of it."""
_GOOD = (
    "good goodwithcomment great excellent amazing satisfied positive happy up thumbsup like liked yes true 👍"
)
_FAIR = "neutral ok okay fair"
_BAD = """
    bad badwithcomment poor terrible awful dissatisfied unsatisfied negative unhappy down thumbsdown dislike
    disliked no false 👎
"""
_WORDS = {word: value for words, value in ((_GOOD, 1.0), (_FAIR, 0.5), (_BAD, 0.0)) for word in words.split()}
_FRESHDESK = {103: 1.0, 102: 5 / 6, 101: 4 / 6, 100: 0.5, -101: 2 / 6, -102: 1 / 6, -103: 0.0}
"""https://developers.freshdesk.com/api/#view_a_satisfaction_rating: extremely happy to extremely unhappy."""
_OF = re.compile(r"(-?\d+(?:\.\d+)?)\s*(?:/|of|out of)\s*(\d+)")

CSAT_BEST = 5
"""Of ratings that are numbers, unless a config says otherwise; words are read whatever the scale."""


def csat(fields: Mapping[str, Any], best: int) -> float | None:
    """The customer's rating, 0 to 1; None where none was given, or it can't be read.

    Reads words (good, satisfied, thumbs up), booleans, "4/5", numbers from 1 to `best`, Freshdesk's codes.
    """
    for name in _RATINGS:
        value = fields.get(name)
        if isinstance(value, Mapping):
            value = next(
                (value[key] for key in ("score", "rating", "value") if value.get(key) is not None), None
            )
        if value is not None:
            return _rating(value, best)
    return None


def _rating(value: object, best: int) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (int, float)):
        return _number(float(value), best)
    text = str(value).strip().lower()
    if match := _OF.fullmatch(text):
        return _number(float(match[1]), int(match[2]))
    if set(text) <= {"★", "☆", "⭐"} and text:
        return _number(float(text.count("★") + text.count("⭐")), best)
    try:
        return _number(float(text), best)
    except ValueError:
        return _WORDS.get(re.sub(r"[\s_-]", "", text))


def _number(value: float, best: int) -> float | None:
    if value in _FRESHDESK:
        return _FRESHDESK[int(value)]
    return (value - 1) / (best - 1) if best > 1 and 1 <= value <= best else None
