"""A judge on a real vLLM: structured output keeps its promise, and tokens are counted."""

import pytest

from common.generation.budget import Usage, most_tokens
from common.judge import RUBRIC, Case, Pair, pair_report
from common.judge.prompts import rubric_question, rubric_schema
from tests.common.judge.scripted_judge import judge

pytest_plugins = ["tests.vllm_server"]
pytestmark = [pytest.mark.vllm, pytest.mark.slow]

CONVERSATION = [{"role": "user", "content": "第3巻はいつ届きますか。 Where is volume 3?"}]
REPLIES = ["It ships within 2 days.", "知りません。", "Please tell me the order number."]


@pytest.fixture
def examiner(vllm_server, tmp_path):
    def make(**settings):
        return judge(
            vllm_server.url, tmp_path, model=vllm_server.model, timeout=120.0, max_new_tokens=1024, **settings
        )

    return make


def test_scores_keep_to_the_rubric_and_usage_is_counted(examiner):
    first = examiner(structured_output="json_schema")
    cases = [Case(CONVERSATION, reply, ("Orders ship within 2 days.",)) for reply in REPLIES]
    found = first.score(cases)
    assert [verdict.unscored for verdict in found] == [None] * 3
    for verdict, case in zip(found, cases, strict=True):
        assert list(verdict.scores) == list(RUBRIC)
        assert all(type(score) is int and 1 <= score <= 5 for score in verdict.scores.values())
        messages = rubric_question(case, RUBRIC).messages
        most = most_tokens(messages, first.config.sampling, rubric_schema(RUBRIC))
        assert 100 < verdict.prompt_tokens <= most.prompt_tokens
        assert 10 < verdict.completion_tokens <= most.completion_tokens
    spent = sum((Usage(each.prompt_tokens, each.completion_tokens) for each in found), start=Usage())
    assert first.budget.spent == spent

    again = examiner(structured_output="json_schema")
    assert [verdict.scores for verdict in again.score(cases)] == [verdict.scores for verdict in found]
    assert again.budget.spent == Usage()


def test_pairs_are_judged_in_both_orders(examiner):
    found = examiner().compare([Pair(CONVERSATION, reply, REPLIES[0]) for reply in REPLIES])
    assert [verdict.unscored for verdict in found] == ["identical: the replies are the same", None, None]
    for verdict in found[1:]:
        assert set(verdict.said) <= {"first", "second", "tie"}
        assert verdict.result in ("A", "B", "tie")
    assert pair_report(found).scored == 2


def test_a_model_that_writes_no_json_by_itself_is_unscored_without_a_schema(examiner):
    [found] = examiner(structured_output="none").score([Case(CONVERSATION, REPLIES[0])])
    assert found.scores is None
    assert found.unscored.startswith("parse_failure")
    assert found.completion_tokens > 0


def test_a_prompt_beyond_the_context_is_unscored(examiner):
    [found] = examiner().score([Case(CONVERSATION, "word " * 4000)])
    assert found.scores is None
    assert found.unscored.startswith("http_400")
