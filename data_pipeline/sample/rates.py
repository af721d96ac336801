"""What is planted, how often, and where: decided by the seed, the kind and the row's number alone."""

import random
from collections.abc import Sequence

from pydantic import Field

from common.config import Config
from common.seeds import unit_hash


class Rates(Config):
    """Shares of rows, of tickets and of labelled messages alike unless said."""

    exact_duplicate: float = Field(default=0.009, ge=0, le=0.3)
    near_duplicate: float = Field(default=0.009, ge=0, le=0.3)
    japanese_mixed: float = Field(default=0.117, ge=0, le=0.5)
    other_language: float = Field(default=0.02, ge=0, le=0.3)
    multi_intent: float = Field(default=0.179, ge=0, le=0.5)
    bad_answer: float = Field(default=0.06, ge=0, le=0.3)
    contradicting_answer: float = Field(default=0.04, ge=0, le=0.3)
    internal_note: float = Field(default=0.25, ge=0, le=1)
    label_noise: float = Field(default=0.04, ge=0, le=0.5)
    synthetic: float = Field(default=0.091, ge=0, le=0.5)
    low_quality: float = Field(default=0.096, ge=0, le=1)


def is_planted(kind: str, key: str | int, rate: float, seed: int) -> bool:
    """Whether row `key` gets what `kind` names: true for about `rate` of all keys, whatever their order."""
    return unit_hash(f"{kind}:{key}", seed) < rate


def draw_language(rates: Rates, others: Sequence[str], rng: random.Random) -> str:
    """What a customer writes: English, English with Japanese, or one of the other languages."""
    draw = rng.random()
    if draw < rates.japanese_mixed:
        return "ja-en"
    if others and draw < rates.japanese_mixed + rates.other_language:
        return rng.choice(others)
    return "en"
