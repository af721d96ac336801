"""Whether a sentence allows a thing or forbids it."""

import re

_CLAUSE = re.compile(r"[,;:]\s|\b(?:but|unless|except|if|when|although|while|because|so)\b")
_GIVEN = r"(?:possible|allowed|permitted|accepted|included|refund\w*|return\w*|exchang\w*|cover\w*|available)"
_GIVES = r"(?:accept|allow|offer|refund|take|exchange|cover|deliver|ship)"
_FORBIDS = re.compile(
    rf"""(?ix)\b(?: cannot | can't | can\ (?:not|no\ longer|never) | may\ (?:not|never)
    | must(?:\ not|\ never|n't)
    | (?:is|are)(?:\ not|\ never|n't)\ (?:\w+\ )?{_GIVEN} | (?:do|does|will)\ not\ {_GIVES}
    | (?:don't|doesn't|won't)\ {_GIVES} | {_GIVES}s?\ (?:no|neither) | (?:is|are)\ excluded
    | impossible | forbidden | prohibited | no\ (?:refund|returns?|exchange) )\b"""
)
_ALLOWS = re.compile(
    rf"""(?ix)\b(?: can | may | (?:is|are)\ (?:always\ |also\ |fully\ )?{_GIVEN} | (?:we|i)\ {_GIVES}
    | free\ to | no\ problem )\b"""
)
_SAME_THING = 0.6
"""Least likeness of two sentences about the same thing. On seed 11 a quarter of the sentences of 600 good
conversations reach it with a statement, and one of them seems to allow what the statement forbids."""


def stance(text: str) -> bool | None:
    """True where `text` allows something, False where it forbids it, None for neither or both.

    >>> stance("Signed copies cannot be returned."), stance("You may return them."), stance("It is blue.")
    (False, True, None)
    """
    found = set()
    for clause in _CLAUSE.split(text):
        if _FORBIDS.search(clause):
            found.add(False)
        elif _ALLOWS.search(clause):
            found.add(True)
    return found.pop() if len(found) == 1 else None


def contradicts(sentence: str, statement: str, likeness: float) -> bool:
    """Whether one allows what the other forbids, both being about one thing by their `likeness` (0 to 1)."""
    if likeness < _SAME_THING:
        return False
    said, known = stance(sentence), stance(statement)
    return said is not None and known is not None and said != known
