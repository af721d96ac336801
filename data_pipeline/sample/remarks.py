"""Remarks around a request: which of them give a message just the feelings of its label."""

import random
from collections.abc import Iterable, Set

from data_pipeline.sample.company import Content
from data_pipeline.sample.label_models import FeelingLine
from data_pipeline.sample.models import Tone
from data_pipeline.sample.splits import Split, split_remarks

_PLAIN = 0.65
"""Share of remarks that name a feeling, as most customers do; the others imply it."""

_OPPOSITE = {"frustration", "satisfaction"}


class Remarks:
    """The remarks of each part, plain and implied."""

    def __init__(self, content: Content) -> None:
        self._plain = split_remarks(content.plain_remarks)
        self._implied = split_remarks(content.implied_remarks)

    def choose(
        self,
        split: Split,
        tone: Tone,
        feelings: tuple[str, ...],
        expressed: Set[str],
        rng: random.Random,
    ) -> list[FeelingLine]:
        """Remarks for those of `feelings` that the requests have not expressed, and now and then one more."""
        chosen: list[FeelingLine] = []
        missing = [name for name in feelings if name not in expressed]
        while missing:
            alone = [r for r in self._plain[split] if r.feelings == (missing[0],) and r.tone == "any"]
            remark = rng.choice(self._fitting(split, tone, feelings, missing[0], rng) or alone)
            chosen.append(remark)
            missing = [name for name in missing if name not in remark.feelings]
        one_more = rng.random() < (0.15 if chosen else 0.35)
        if one_more and (fitting := self._fitting(split, tone, feelings, None, rng)):
            chosen.append(rng.choice(fitting))
        return chosen

    def _fitting(
        self,
        split: Split,
        tone: Tone,
        feelings: tuple[str, ...],
        feeling: str | None,
        rng: random.Random,
    ) -> list[FeelingLine]:
        """Remarks that express `feeling`, or any: of one sort, plain or implied, or else of the other."""
        sorts = (self._plain, self._implied) if rng.random() < _PLAIN else (self._implied, self._plain)
        for parts in sorts:
            remarks = [
                remark
                for remark in parts[split]
                if fits(remark.feelings, feelings)
                and (feeling is None or feeling in remark.feelings)
                and remark.tone in ("any", tone)
            ]
            if remarks:
                return remarks
        return []


def fits(expressed: Iterable[str], feelings: Iterable[str]) -> bool:
    """Whether a line with what it expresses may stand in a message with these feelings.

    Praise and a complaint that know nothing of each other read as sarcasm: one line has to express both.
    """
    opposite = set(expressed) & _OPPOSITE
    return set(expressed) <= set(feelings) and (len(opposite) != 1 or not set(feelings) >= _OPPOSITE)
