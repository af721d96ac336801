"""What a judge says of a reply, or of two."""

from dataclasses import dataclass
from typing import Literal

Position = Literal["first", "second", "tie"]
"""Which of two replies the judge prefers, by the order in which it saw them."""

Result = Literal["A", "B", "tie"]


@dataclass(frozen=True)
class Verdict:
    """Scores by criterion, each from 1 to 5; or `unscored`, a reason code with details behind a colon.

    `scores` is None exactly when `unscored` is not. The tokens are those of the judge's reply, also of one
    that could not be used; where `cached`, they were paid for before.
    """

    scores: dict[str, int] | None
    reason: str
    unscored: str | None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: bool = False

    @property
    def mean(self) -> float | None:
        """Of all criteria; None where unscored."""
        return None if self.scores is None else sum(self.scores.values()) / len(self.scores)


@dataclass(frozen=True)
class PairVerdict:
    """Which of two replies is better, asked in both orders.

    A reply wins only if it is preferred in both orders; everything else is a tie (Zheng et al. 2023,
    arXiv:2306.05685, section 3.4). `said` is what the judge said with A first, then with B first; `reasons`
    are its reasons. Where one of the orders is unscored, so is the pair, whatever the other one says.
    """

    said: tuple[Position | None, Position | None]
    reasons: tuple[str, str]
    unscored: str | None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: bool = False

    @property
    def result(self) -> Result | None:
        """A, B or tie; None where unscored."""
        if self.unscored is not None:
            return None
        winners: dict[tuple[Position | None, Position | None], Result] = {
            ("first", "second"): "A",
            ("second", "first"): "B",
        }
        return winners.get(self.said, "tie")

    @property
    def flipped(self) -> bool:
        """Whether the same position won in both orders: the judge contradicts itself."""
        return self.unscored is None and self.said in (("first", "first"), ("second", "second"))

    @property
    def wavered(self) -> bool:
        """Whether it was a tie in one order only: no contradiction, but no win either."""
        return self.unscored is None and (self.said[0] == "tie") != (self.said[1] == "tie")
