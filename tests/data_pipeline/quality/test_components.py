"""Coherence, originality and the weighted mean, by values that can be computed by hand."""

import numpy as np
import pytest

from data_pipeline.quality.coherence import article_gap, coherence, raw_coherence
from data_pipeline.quality.config import Component, QualityConfig, Weights
from data_pipeline.quality.knowledge import Knowledge
from data_pipeline.quality.originality import originality
from data_pipeline.quality.scores import REASONS, QualityScores, combine, reasons
from tests.data_pipeline.quality.company import PASSAGES, Words, dialogue

X, Y = np.eye(2, dtype=np.float32)


def test_coherence_is_relative_to_other_replies() -> None:
    others = np.stack([X, Y])
    assert raw_coherence(X[None], X, others) == pytest.approx(1 - 0.5)
    assert raw_coherence(X[None], Y, others) == pytest.approx(0 - 0.5)
    assert raw_coherence(np.stack([Y, X]), X, others) == pytest.approx(0.5)  # the nearer question
    assert raw_coherence(X[None], X, others, articles=0.4) == pytest.approx(0.5 - 0.2)


@pytest.mark.parametrize(
    ("raw", "expected"), [(-0.5, 0.0), (-0.3, 0.0), (0.025, 0.5), (0.35, 1.0), (0.9, 1.0)]
)
def test_coherence_from_0_to_1(raw: float, expected: float) -> None:
    assert coherence(raw) == pytest.approx(expected)


def test_the_gap_of_articles() -> None:
    knowledge = Knowledge(PASSAGES, None)
    returns, shipping, repairs = ([1.0, 0.2, 0.1], [0.1, 0.9, 0.0], [0.0, 0.0, 0.5])
    assert article_gap(knowledge, np.array(returns), np.array(returns)) == 0.0
    assert article_gap(knowledge, np.array(returns), np.array(shipping)) == pytest.approx(0.8)
    assert article_gap(knowledge, np.array(returns), np.array(repairs)) == pytest.approx(0.9)


def test_originality_is_a_product() -> None:
    [turn] = dialogue("a", "Thanks for asking! The poles are 240 cm.").turns
    share = 1 - len("Thanks for asking!") / len("Thanks for asking!The poles are 240 cm.")
    assert originality(turn, vague=0.0, grounding=1.0) == pytest.approx(share)
    assert originality(turn, vague=0.5, grounding=0.4) == pytest.approx(share * 0.5 * 0.4)
    assert originality(turn, vague=0.0, grounding=None) == pytest.approx(share * 3 / 12)  # pole, 240, cm


def test_stock_phrases_are_not_original() -> None:
    [turn] = dialogue("a", "Thanks for asking! Have a nice day.").turns
    assert originality(turn, vague=0.0, grounding=1.0) == 0.0


def test_grounding_by_words_alone_and_with_vectors() -> None:
    by_words, by_both = Knowledge(PASSAGES, None), Knowledge(PASSAGES, Words())
    for knowledge in (by_words, by_both):
        nothing = knowledge.grounding(knowledge.scores("We look forward."))
        enough = knowledge.grounding(knowledge.scores(PASSAGES[0].text))
        assert nothing == 0.0 < enough
    assert by_words.best(by_words.scores("tents returned"), 1) == [PASSAGES[0].text]


FULL: dict[Component, float | None] = {
    "resolution": 1.0, "csat": 0.0, "coherence": 0.5, "factuality": 1.0, "politeness": 1.0,
    "originality": 0.8,
}  # fmt: skip
MEAN = 0.125 * 1 + 0.125 * 0 + 0.2 * 0.5 + 0.25 * 1 + 0.15 * 1 + 0.15 * 0.8


def test_the_weighted_mean_and_the_weakest_part() -> None:
    config = QualityConfig()
    assert combine(FULL, 0.0, config) == pytest.approx(MEAN * (1 - 0.5 * 0.5), abs=1e-4)
    assert combine(FULL, 0.9, config) == pytest.approx(MEAN * (1 - 0.5 * 0.9), abs=1e-4)
    assert combine(FULL, 0.9, config.model_copy(update={"weakest_weight": 0.0})) == pytest.approx(
        MEAN, abs=1e-4
    )


def test_what_is_not_measured_leaves_its_weight_to_the_others() -> None:
    config = QualityConfig(weakest_weight=0.0)
    assert combine({**FULL, "csat": None}, 0.0, config) == pytest.approx(MEAN / 0.875, abs=1e-4)
    assert combine({"csat": 0.25}, 0.0, config) == 0.25
    assert combine({"csat": None}, 0.0, config) is None
    alone = QualityConfig(weights=Weights(csat=0.0))
    assert combine({"csat": 1.0}, 0.0, alone) is None  # measured, but of no weight


def scored(score: float | None, *flags: str) -> QualityScores:
    return QualityScores({}, score, flags=flags)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (scored(0.9), None),
        (scored(None), None),
        (scored(0.34), "low_quality"),
        (scored(0.35), None),
        (scored(0.9, "vague", "off_topic"), None),
        (scored(0.9, "contradiction"), "contradiction"),
        (scored(0.9, "asks_for_secrets", "contradiction"), "asks_for_secrets"),
        (scored(0.9, "impossible_promise"), "impossible_promise"),
        (scored(0.1, "blames_customer"), "rude"),
        (scored(0.1, "asks_for_secrets", "link"), "poisoned"),
        (scored(0.9, "repeated_answer"), "poisoned"),
        (scored(None, "instruction"), "poisoned"),
    ],
)
def test_reasons(found: QualityScores, reason: str | None) -> None:
    assert reasons(found, QualityConfig()) == reason
    assert reason is None or reason in REASONS


def test_without_a_least_score_none_is_low() -> None:
    assert reasons(scored(0.0), QualityConfig(min_score=None)) is None


def test_all_weights_0_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing would be scored"):
        Weights(resolution=0, csat=0, coherence=0, factuality=0, politeness=0, originality=0)
