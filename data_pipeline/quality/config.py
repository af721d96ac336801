"""Config of the quality score: weights, thresholds, and what is not trusted."""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from common.config import Config

Component = Literal["resolution", "csat", "coherence", "factuality", "politeness", "originality"]
COMPONENTS: tuple[Component, ...] = get_args(Component)

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


class Weights(Config):
    """What each component counts. The weight of one that is not measured is shared among the others.

    Half of the whole for the text of the replies, a quarter for facts, a quarter for how it ended for the
    customer. Set by that rule, not fitted: on other seeds of the sample company, any weight doubled or halved
    moves the AUC by less than .01.
    """

    resolution: Weight = 0.125
    csat: Weight = 0.125
    coherence: Weight = 0.2
    factuality: Weight = 0.25
    politeness: Weight = 0.15
    originality: Weight = 0.15

    @model_validator(mode="after")
    def _some(self) -> "Weights":
        if not any(getattr(self, name) for name in COMPONENTS):
            raise ValueError("all weights are 0: nothing would be scored")
        return self


class Poisoning(Config):
    """Checks of data from outside, whose authors may want the model to learn something."""

    # Names of sources that anybody may have written to; only their rows are checked.
    untrusted_sources: tuple[str, ...] = ()
    # Domains that replies may link to, with all below them. Any other link is flagged.
    known_domains: tuple[str, ...] = ()
    # The same reply in more rows of one source and month, when these are also more than the share below:
    # agents' macros are shorter than `repeated_words`, and no two customers need 50 equal long replies.
    most_repeats: int = Field(50, ge=1)
    most_repeats_share: Share = 0.01
    repeated_words: int = Field(12, ge=1)


class QualityConfig(Config):
    """How Level 2 scores, flags and rejects."""

    weights: Weights = Weights()
    # A reply is no better than its weakest part: this share of the weighted mean is multiplied by the lowest
    # of coherence, factuality, politeness and originality, and of how little a fault is suspected. From .3 to
    # .7 the AUC on seed 11 is the same; without it (0) it is .016 lower.
    weakest_weight: Share = 0.5
    # Share of all rows read that the best may have; the others are rejected as low_quality. None takes all
    # that are above min_score.
    keep_share: Annotated[float, Field(gt=0, le=1)] | None = 0.4
    # Below this a row is rejected as low_quality; None rejects nothing for its score alone (the build's
    # `keep_share` does). On seed 11 of the sample company .35 keeps 97 % of the good conversations.
    min_score: Share | None = 0.35
    # A fault this probable is flagged: .5 % of the good conversations of seed 11.
    flag_at: Share = 0.8
    # A contradiction this sure (1 - factuality) is flagged: 2 % of the good conversations of seed 11.
    contradiction_at: Share = 0.85
    # Coherence below this is off the topic: 1 % of the good conversations of seed 11.
    off_topic_below: Share = 0.15
    # Highest CSAT on the scale of the source; numbers off the scale 1 to this are not measured.
    csat_best: int = Field(5, ge=2)
    # Languages (the build's codes) that the phrases and the encoder understand. In others only what the
    # customer's rating and status say is measured, and what a judge says.
    languages: tuple[str, ...] = ("en", "ja-en")
    poisoning: Poisoning = Poisoning()
