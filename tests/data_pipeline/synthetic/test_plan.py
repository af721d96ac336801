"""What is asked for depends on the seed and the passages alone, and grows without changing."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.retrieval import Passage
from data_pipeline.synthetic.config import SynthesiseConfig
from data_pipeline.synthetic.plan import plan
from data_pipeline.synthetic.prompts import prompt
from data_pipeline.synthetic.rows import prompt_hash

PASSAGES = [Passage(f"a#{n}", "a", f"Rule {n} of a.") for n in (1, 2, 3)] + [
    Passage("b#1", "b", "Rule of b.")
]


def config(**settings: Any) -> SynthesiseConfig:
    values = {
        "output": "out/x",
        "knowledge_base": Path(),
        "company": "It sells manga.",
        "model": {"url": "http://localhost/v1", "model": "writer"},
        "conversations": 40,
        "languages": {"en": "English", "ja": "Japanese"},
        "checks": {"min_checks": 4},
    }
    return SynthesiseConfig.model_validate(values | settings)


def test_the_same_seed_asks_for_the_same_in_the_same_order() -> None:
    one, two = plan(PASSAGES, config()), plan(PASSAGES, config())
    assert one == two
    assert [prompt_hash(prompt(each, config())) for each in one] == [
        prompt_hash(prompt(each, config())) for each in two
    ]
    assert plan(PASSAGES, config(seed=8)) != one


def test_all_passages_get_as_many_and_nothing_is_asked_for_twice() -> None:
    requests = plan(PASSAGES, config(conversations=42))
    counts = Counter(request.passages[0].id for request in requests)
    assert set(counts.values()) <= {10, 11} and len(counts) == 4
    assert len({(r.passages[0].id, r.persona, r.difficulty, r.language, r.tone) for r in requests}) == 42
    assert len({request.id for request in requests}) == 42
    for values in (
        {r.language for r in requests},
        {r.difficulty for r in requests},
        {r.tone for r in requests},
    ):
        assert len(values) >= 2


@given(fewer=st.integers(1, 60), more=st.integers(0, 60))
def test_more_conversations_leave_the_first_ones_as_they_are(fewer: int, more: int) -> None:
    few, many = (plan(PASSAGES, config(conversations=count)) for count in (fewer, fewer + more))
    assert many[:fewer] == few


def test_another_article_leaves_what_is_asked_about_the_others() -> None:
    before = {request.id: request for request in plan(PASSAGES, config(conversations=16))}
    added = [*PASSAGES, Passage("c#1", "c", "Rule of c.")]
    after = {request.id: request for request in plan(added, config(conversations=20))}
    assert {request_id: after[request_id] for request_id in before} == before


def test_a_hard_conversation_is_about_two_passages_of_an_article() -> None:
    hard = {r.passages[0].id: r.passages for r in plan(PASSAGES, config(difficulties=["hard"]))}
    assert [passage.id for passage in hard["a#3"]] == ["a#3", "a#1"]
    assert [passage.id for passage in hard["b#1"]] == ["b#1"]
    easy = plan(PASSAGES, config(difficulties=["easy"]))
    assert all(len(request.passages) == 1 for request in easy)


def test_more_than_there_are_combinations_is_refused() -> None:
    few = {
        "personas": ["is new"],
        "tones": ["calm"],
        "difficulties": ["easy"],
        "languages": {"en": "English"},
    }
    assert len(plan(PASSAGES, config(**few, conversations=4))) == 4
    with pytest.raises(UserError, match="5 conversations are more than the 4 combinations"):
        plan(PASSAGES, config(**few, conversations=5))


def test_a_prompt_has_the_passages_and_all_wishes_and_the_placeholders() -> None:
    pii = {"patterns": {"ORDER_NUMBER": r"MA-\d{6}"}}
    given = config(pii=pii, difficulties=["hard"], languages={"ja": "Japanese"})
    request = next(r for r in plan(PASSAGES, given) if r.passages[0].id == "a#1")
    system, user = prompt(request, given)
    assert "It sells manga." in system["content"]
    assert "[NAME]" in system["content"] and "[ORDER_NUMBER]" in system["content"]
    assert user["content"].startswith(
        "<passage>\nRule 1 of a.\n</passage>\n<passage>\nRule 2 of a.\n</passage>\n\n"
        "Language of both: Japanese.\n"
    )
    assert f"The customer {request.persona}." in user["content"]
    assert f"The customer's tone is {request.tone}." in user["content"]
    assert "two things" in user["content"]
