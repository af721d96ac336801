"""Phrases that give a reply away: insults, blame, requests for secrets, promises that nobody can keep.

They are precise and miss much; `tone` finds what no list holds. The lists are in `phrases.yaml`.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

RUDE, BLAMES, SECRETS, PROMISE, VAGUE = (
    "rude", "blames_customer", "asks_for_secrets", "impossible_promise", "vague",
)  # fmt: skip

_SURE = {RUDE: 0.9, BLAMES: 0.9, SECRETS: 1.0, PROMISE: 0.9}
"""How sure a phrase is: the words of all but the requests may be meant well."""
_SURE_OF_A_HEDGE, _MOST_SURE_OF_HEDGES = 0.3, 0.9
_HEDGES = 2  # one "probably" is honest
_BETWEEN = 90  # characters from the request to the secret, of one sentence


def pattern(*names: str, whole: bool = False) -> re.Pattern[str]:
    """The phrases of these lists as one pattern; with `whole`, a phrase is a whole sentence."""
    phrases = _alternatives(*names)
    return re.compile(_WHOLE.replace("PHRASES", phrases) if whole else phrases, re.IGNORECASE)


_WHOLE = (
    r"^\W*(?:and |but |so |oh,? |well,? |of course[,!.]? ?|sure[,!.]? ?|gladly[,!.]? ?|certainly[,!.]? ?)*"
    r"(?:PHRASES)\W*$"
)


def _alternatives(*names: str) -> str:
    entries = (entry for name in names for entry in _lists()[name])
    return "|".join(rf"\b(?:{entry})(?!\w)" if entry.isascii() else f"(?:{entry})" for entry in entries)


@cache
def _lists() -> dict[str, list[str]]:
    import yaml

    lists = yaml.safe_load(Path(__file__).with_name("phrases.yaml").read_text(encoding="utf-8"))
    return {name: text.splitlines() for name, text in lists.items()}


_RUDE, _BLAMES, _VAGUE = pattern("rude"), pattern("blames_customer"), pattern("vague")
_RUDE_OPENING = re.compile(rf"\W*(?:{_alternatives('rude_opening')})", re.IGNORECASE)
_PROMISE, _HEDGED, _HARMLESS = pattern("impossible_promise"), pattern("hedged"), pattern("harmless")
_ASKS_SECRET = re.compile(
    rf"(?:{_alternatives('asks')})[^.!?]{{0,{_BETWEEN}}}?(?:{_alternatives('secret')})"
    rf"|(?:{_alternatives('secret')})(?:,? please\b|[^。]{{0,20}}(?:教えて|送って|お知らせ))",
    re.IGNORECASE,
)


def said(sentences: Sequence[str]) -> dict[str, float]:
    """How sure the phrases of a reply are of each fault, 0 to 1; faults that they do not see are left out.

    >>> said(["Please send me your password."]), said(["Never send us your password."])
    ({'asks_for_secrets': 1.0}, {})
    """
    sees: dict[str, Callable[[str], object]] = {
        RUDE: _is_rude,
        BLAMES: _BLAMES.search,
        SECRETS: asks_for_secret,
        PROMISE: _promises,
    }
    found = {name: _SURE[name] for name, see in sees.items() if any(see(part) for part in sentences)}
    hedges = sum(len(_VAGUE.findall(sentence)) for sentence in sentences)
    if hedges >= _HEDGES:
        found[VAGUE] = min(_MOST_SURE_OF_HEDGES, _SURE_OF_A_HEDGE * hedges)
    return found


def asks_for_secret(sentence: str) -> bool:
    """A request with a secret in it; "your new password" and "we never ask for it" are none."""
    return _ASKS_SECRET.search(sentence) is not None and not _HARMLESS.search(sentence)


def _is_rude(sentence: str) -> bool:
    return _RUDE.search(sentence) is not None or _RUDE_OPENING.match(sentence) is not None


def _promises(sentence: str) -> bool:
    return _PROMISE.search(sentence) is not None and not _HEDGED.search(sentence)
