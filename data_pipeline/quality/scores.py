"""The score of a conversation: components, their weighted mean, faults, and the reasons to reject."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from data_pipeline.quality.config import COMPONENTS, Component, QualityConfig

By = Literal["judge", "embedding", "rules"]

CONTRADICTION, OFF_TOPIC = "contradiction", "off_topic"
POISON = ("instruction", "link", "repeated_answer")

LOW_QUALITY = "low_quality"
_REASONS = (
    ("poisoned", POISON),
    ("asks_for_secrets", ("asks_for_secrets",)),
    ("contradiction", (CONTRADICTION,)),
    ("impossible_promise", ("impossible_promise",)),
    ("rude", ("rude", "blames_customer")),
)
"""Reasons with the flags that give them, the gravest first. Vague replies and those off the topic are
rejected for their score: a short honest reply may look like them."""

REASONS = (*(reason for reason, _ in _REASONS), LOW_QUALITY)
_OF_REPLIES = ("coherence", "factuality", "politeness", "originality")
DIGITS = 4  # floating point may differ in the last digits between machines


@dataclass(frozen=True)
class QualityScores:
    """What Level 2 found in one conversation.

    Attributes:
        components: 0 to 1 each, 1 being good; None = not measured.
        score: weighted mean of those measured, less for the weakest part; None where none was measured.
        faults: how sure each fault is, 0 to 1; 0 ones are left out.
        flags: sorted names of sure faults and of poison.
        coherence_by, factuality_by: who measured it.
        unjudged: why a configured judge gave no verdict.
    """

    components: Mapping[Component, float | None]
    score: float | None
    faults: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    coherence_by: By | None = None
    factuality_by: By | None = None
    unjudged: str | None = None

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for JSON: the components beside the rest."""
        values = asdict(self)
        return {**values.pop("components"), **values, "flags": list(self.flags)}


def combine(
    components: Mapping[Component, float | None], worst_fault: float, config: QualityConfig
) -> float | None:
    """The weighted mean of what was measured, times what the weakest part of the replies leaves of it.

    Args:
        worst_fault: how sure a fault is that no component knows of, 0 to 1.

    >>> combine({"csat": 1.0, "coherence": 0.5, "factuality": None}, 0.0, QualityConfig())
    0.5192
    """
    measured = {
        name: value
        for name in COMPONENTS
        if (value := components.get(name)) is not None and getattr(config.weights, name)
    }
    if not measured:
        return None
    total = sum(getattr(config.weights, name) for name in measured)
    mean = sum(getattr(config.weights, name) * value for name, value in measured.items()) / total
    weakest = min(1.0 - worst_fault, *(value for name, value in measured.items() if name in _OF_REPLIES), 1.0)
    return round(mean * (1 - config.weakest_weight * (1 - weakest)), DIGITS)


def reasons(scores: QualityScores, config: QualityConfig) -> str | None:
    """The reason for leaving the conversation out, one of `REASONS`; None for keeping it."""
    for reason, flags in _REASONS:
        if any(flag in scores.flags for flag in flags):
            return reason
    low = config.min_score is not None and scores.score is not None and scores.score < config.min_score
    return LOW_QUALITY if low else None
