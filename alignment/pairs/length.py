"""Length bias: how much "prefer the longer reply" would tell, and a subset in which it tells nothing.

DPO takes length for quality where the two go together in the data (Park et al. 2024, arXiv 2403.19159).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, median

from alignment.pairs.formats import Pair
from common.seeds import unit_hash


@dataclass(frozen=True)
class LengthBias:
    """Of pairs whose sides differ in length, how often the chosen one is the longer, with a 95 % interval.

    `rule` is the accuracy of the better of "prefer the longer" and "prefer the shorter" on all pairs, of
    which pairs of equal length count a half. Lengths are in characters.
    """

    pairs: int
    longer: float
    interval: tuple[float, float]
    rule: float
    median_chosen: float
    median_rejected: float

    @property
    def is_biased(self) -> bool:
        """True when chance does not explain it."""
        low, high = self.interval
        return not low <= 0.5 <= high


def length_bias(pairs: Sequence[Pair]) -> LengthBias:
    """Measure it. Raises ValueError without a pair."""
    if not pairs:
        raise ValueError("no pairs")
    differences = [len(pair.chosen) - len(pair.rejected) for pair in pairs]
    longer, shorter = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    unequal = longer + shorter
    return LengthBias(
        pairs=len(pairs),
        longer=longer / unequal if unequal else 0.5,
        interval=_wilson(longer, unequal),
        rule=(max(longer, shorter) + (len(pairs) - unequal) / 2) / len(pairs),
        median_chosen=median(len(pair.chosen) for pair in pairs),
        median_rejected=median(len(pair.rejected) for pair in pairs),
    )


def _wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.975)
    share, scale = hits / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / scale
    return middle - half, middle + half


def left_out(pairs: Sequence[Pair], seed: int) -> set[str]:
    """Ids of pairs to leave out so that the chosen side is the longer one in half of the unequal ones."""
    longer = [pair.id for pair in pairs if len(pair.chosen) > len(pair.rejected)]
    shorter = [pair.id for pair in pairs if len(pair.chosen) < len(pair.rejected)]
    more, fewer = (longer, shorter) if len(longer) > len(shorter) else (shorter, longer)
    order = sorted(more, key=lambda identity: unit_hash(identity, seed))
    return set(order[: len(more) - len(fewer)])
