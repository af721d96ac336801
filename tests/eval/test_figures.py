"""Figures are over rows that all systems have, and the verdict says no more than the intervals do."""

import json
import math
from dataclasses import asdict, replace

import pytest

from common.generation import Reply
from eval.config import CONSTANT_REPLY
from eval.figures import Figure, Settings, better, figures, from_json, verdict
from eval.outcomes import EvalSet, Outcome
from eval.perplexity import Score
from eval.stats import Interval
from eval.testsets import Conversation, Turn

SETTINGS = Settings("base", bootstrap_samples=200, bootstrap_seed=2025)


def eval_set(rows: int = 6, turns: int = 6) -> EvalSet:
    spoken = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Refunds take a week"})
    conversations = [Conversation(f"row{n}", f"group{n}", spoken) for n in range(rows)]
    return EvalSet("test", conversations, [Turn(conversation, 1) for conversation in conversations[:turns]])


def outcome(
    nll: float = 20.0, text: str | None = "Refunds take a day", rows: int = 6, tokens: int = 10
) -> Outcome:
    reply = Reply.failed("too_long: 300 tokens") if text is None else Reply(text, 5, 3, "stop")
    return Outcome.of(eval_set(rows), [Score(nll, tokens)] * rows, [reply] * rows)


def by(found: list[Figure], metric: str, system: str) -> Figure:
    [figure] = [each for each in found if (each.metric, each.system) == (metric, system)]
    return figure


def test_values_and_comparisons():
    found = figures(eval_set(), {"base": outcome(20.0, "No"), "tuned": outcome(10.0)}, SETTINGS)
    tuned = by(found, "perplexity", "tuned")
    assert tuned.value.value == pytest.approx(math.e)
    assert tuned.against["base"].value == pytest.approx(math.exp(-1))
    assert tuned.scored == 6
    rouge = by(found, "rouge_l", "tuned")
    assert rouge.value.value == rouge.against["base"].value == 0.75
    assert by(found, "perplexity", "base").against == {}


def test_rows_that_one_system_lacks_are_left_out_for_all():
    base, tuned = outcome(20.0), outcome(10.0)
    tuned.scores[0] = Score(0.0, 0, "too_long: 300 tokens")
    base.scores[1] = Score(500.0, 10)
    tuned.scores[5] = Score(0.0, 0, "too_long: 290 tokens")
    base.scores[5] = Score(900.0, 10)
    found = figures(eval_set(), {"base": base, "tuned": tuned}, SETTINGS)
    base_figure, tuned_figure = by(found, "perplexity", "base"), by(found, "perplexity", "tuned")
    assert base_figure.value.value == pytest.approx(math.exp((500 + 3 * 20) / 40))
    assert (base_figure.scored, tuned_figure.scored) == (4, 4)
    assert (base_figure.unscored, tuned_figure.unscored) == ({}, {"too_long": 2})


def test_a_failed_reply_is_unscored_and_an_empty_one_scores_nothing():
    base, tuned = outcome(), outcome()
    tuned.replies[0], tuned.rouge_l[0] = Reply.failed("timeout: 3 times"), None
    empty = Outcome.of(eval_set(), tuned.scores, [Reply("", 5, 1, "stop")] * 6)
    found = figures(eval_set(), {"base": base, "tuned": tuned, "empty": empty}, SETTINGS)
    assert by(found, "rouge_l", "tuned").unscored == {"timeout": 1}
    assert [each.scored for each in found if each.metric == "rouge_l"] == [5, 5, 5]
    assert by(found, "rouge_l", "empty").value == Interval(0.0, 0.0, 0.0)
    assert by(found, "rouge_l", "empty").unscored == {}


def test_a_system_that_never_answers_leaves_no_figure():
    found = figures(eval_set(), {"base": outcome(), "tuned": outcome(text=None)}, SETTINGS)
    tuned = by(found, "rouge_l", "tuned")
    assert (tuned.value, tuned.against, tuned.scored, tuned.unscored) == (None, {}, 0, {"too_long": 6})
    assert by(found, "rouge_l", "base").value is None


def test_other_tokens_give_no_ratio():
    found = figures(eval_set(), {"base": outcome(), "tuned": outcome(10.0, tokens=9)}, SETTINGS)
    assert by(found, "perplexity", "tuned").against == {}
    assert by(found, "perplexity", "tuned").value is not None


def test_the_constant_reply_is_compared_by_rouge_only():
    constant = Outcome.of(eval_set(), [], [Reply("Refunds", 0, 0, "stop")] * 6)
    found = figures(eval_set(), {"base": outcome(), "tuned": outcome(), CONSTANT_REPLY: constant}, SETTINGS)
    assert by(found, "rouge_l", "tuned").against.keys() == {"base", CONSTANT_REPLY}
    assert by(found, "rouge_l", CONSTANT_REPLY).against == {}
    assert [figure.system for figure in found if figure.metric == "perplexity"] == ["base", "tuned"]


def test_a_set_without_turns_has_no_rouge():
    found = figures(eval_set(turns=0), {"base": replace(outcome(), replies=[], rouge_l=[])}, SETTINGS)
    assert [figure.metric for figure in found] == ["perplexity"]


@pytest.mark.parametrize(
    ("metric", "low", "high", "expected"),
    [
        ("perplexity", 0.5, 0.9, True),
        ("perplexity", 0.5, 1.0, None),
        ("perplexity", 1.0, 1.5, None),
        ("perplexity", 1.1, 1.5, False),
        ("rouge_l", 0.1, 0.2, True),
        ("rouge_l", 0.0, 0.2, None),
        ("rouge_l", -0.2, 0.1, None),
        ("rouge_l", -0.2, -0.1, False),
    ],
)
def test_better_is_what_the_whole_interval_says(metric, low, high, expected):
    figure = Figure("test", "tuned", metric, None, {"base": Interval((low + high) / 2, low, high)}, 6, {})
    assert better(figure, "base") is expected


def figure(
    test_set: str, metric: str, low: float, high: float, constant: tuple[float, float] | None = None
) -> Figure:
    against = {"base": Interval((low + high) / 2, low, high)}
    if constant:
        against[CONSTANT_REPLY] = Interval(sum(constant) / 2, *constant)
    return Figure(test_set, "tuned", metric, Interval(1.0, 0.9, 1.1), against, 6, {})


def test_verdict():
    found = [
        Figure("test", "base", "perplexity", Interval(1.0, 0.9, 1.1), {}, 6, {}),
        figure("test", "perplexity", 0.4, 0.5),
        figure("unseen", "perplexity", 0.6, 0.7),
        figure("general", "perplexity", 1.1, 1.2),
        figure("test", "rouge_l", 0.1, 0.2, constant=(0.05, 0.1)),
        figure("unseen", "rouge_l", -0.1, 0.1, constant=(-0.1, 0.1)),
    ]
    assert verdict(found, "base") == [
        "tuned against base. Better: perplexity on test, unseen; ROUGE-L on test. "
        "Worse: perplexity on general. "
        "No difference shown: ROUGE-L on unseen. Not shown to beat the constant reply: ROUGE-L on unseen."
    ]


def test_figures_come_back_from_json():
    found = [
        figure("test", "rouge_l", 0.1, 0.2),
        Figure("test", "base", "perplexity", None, {}, 0, {"too_long": 2}),
    ]
    assert from_json(json.dumps({"figures": [asdict(each) for each in found]})) == found
