"""Counts and rates over verdicts, with what the order of two replies does to a judge."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from common.judge.verdicts import PairVerdict, Verdict


@dataclass(frozen=True)
class PairReport:
    """Pairs by result. Rates are shares of the `scored` pairs; without any they are None, not 0."""

    scored: int
    wins: int
    """Of A."""
    losses: int
    ties: int
    """With flipped and wavered pairs."""
    flips: int
    """Pairs of which the judge prefers the same position in both orders (see `PairVerdict.flipped`)."""
    wavers: int
    """Pairs that are a tie in one order only."""
    first: int
    """Answers that prefer the reply shown first, of the `decided` ones. Each scored pair has two answers."""
    decided: int
    """Answers that prefer a reply, whichever."""
    unscored: dict[str, int]
    """Pairs by reason, the most frequent first."""

    @property
    def win_rate(self) -> float | None:
        return _share(self.wins, self.scored)

    @property
    def loss_rate(self) -> float | None:
        return _share(self.losses, self.scored)

    @property
    def tie_rate(self) -> float | None:
        return _share(self.ties, self.scored)

    @property
    def flip_rate(self) -> float | None:
        return _share(self.flips, self.scored)

    @property
    def waver_rate(self) -> float | None:
        return _share(self.wavers, self.scored)

    @property
    def first_share(self) -> float | None:
        """How often the first position wins: .5 for a judge who does not care for it."""
        return _share(self.first, self.decided)


def pair_report(verdicts: Sequence[PairVerdict]) -> PairReport:
    """Count verdicts over pairs."""
    scored = [verdict for verdict in verdicts if verdict.unscored is None]
    results = Counter(verdict.result for verdict in scored)
    said = Counter(position for verdict in scored for position in verdict.said)
    return PairReport(
        scored=len(scored),
        wins=results["A"],
        losses=results["B"],
        ties=results["tie"],
        flips=sum(verdict.flipped for verdict in scored),
        wavers=sum(verdict.wavered for verdict in scored),
        first=said["first"],
        decided=said["first"] + said["second"],
        unscored=unscored_reasons(verdicts),
    )


def unscored_reasons(verdicts: Iterable[Verdict | PairVerdict]) -> dict[str, int]:
    """How many verdicts are unscored for each reason, without the reasons' details."""
    reasons = (verdict.unscored.split(":")[0] for verdict in verdicts if verdict.unscored is not None)
    return dict(Counter(reasons).most_common())


def _share(count: int, total: int) -> float | None:
    return count / total if total else None
