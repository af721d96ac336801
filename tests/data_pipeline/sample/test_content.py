"""The sample company's texts: facts stand in articles, held-out sentences stay apart, mistakes are named."""

import shutil
from pathlib import Path

import pytest

from common.errors import UserError
from data_pipeline.sample.checks import agent_lines, customer_lines, facts_of, find_problems
from data_pipeline.sample.company import Content
from data_pipeline.sample.content import CONTENT, load_content
from data_pipeline.sample.grammar import walk


def test_there_is_enough_content(content: Content) -> None:
    assert len(content.situations) >= 300
    assert len(content.articles) >= 60
    assert sum(situation.held_out for situation in content.situations) == 30
    assert {situation.article for situation in content.situations} == set(content.articles)


def test_shipped_content_has_no_problems(content: Content) -> None:
    assert find_problems(content) == []


def test_most_answers_state_facts(content: Content) -> None:
    with_facts = [situation for situation in content.situations if facts_of(content, situation)]

    assert len(with_facts) / len(content.situations) > 0.9


def test_no_sentence_of_a_held_out_situation_is_in_training(content: Content) -> None:
    def sentences(held_out: bool) -> set[str]:
        chosen = [s for s in content.situations if s.held_out == held_out]
        lines = [line for s in chosen for line in (*customer_lines(s), *agent_lines(s))]
        literals = [part for line in lines for part in walk(line) if isinstance(part, str)]
        return {literal.strip() for literal in literals if len(literal.split()) >= 6}

    assert not sentences(held_out=True) & sentences(held_out=False)


def test_training_teaches_the_articles_of_held_out_situations(content: Content) -> None:
    seen = {situation.article for situation in content.situations if not situation.held_out}
    held_out = [situation for situation in content.situations if situation.held_out]

    assert {situation.article for situation in held_out} <= seen
    assert len(held_out) >= 6
    assert len({content.articles[situation.article].topic for situation in held_out}) >= 6


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("situations/orders.yaml", "{orders.change_minutes}", "{orders.change_hours}", "unknown slot"),
        ("situations/orders.yaml", "{orders.change_minutes}", "90", "a number that is not from the facts"),
        ("situations/orders.yaml", "article: order-changes", "article: order", "no article 'order'"),
        ("situations/orders.yaml", "needs: [order]", "needs: []", "the agent cannot know {order}"),
        ("situations/orders.yaml", "  openers: |", "  opener: |", "Extra inputs are not permitted"),
        ("situations/orders.yaml", "|Cancellation}", "|Cancellation", "an opening brace without a closing"),
        (
            "situations/refunds.yaml",
            "{refunds.card_days} business days",
            "{login.link_minutes} business days",
            "login.link_minutes does not stand in the article refunds",
        ),
        (
            "kb/returns.md",
            "{returns.window_days}",
            "30",
            "article returns: a number that is not from the facts",
        ),
        (
            "facts/core.yaml",
            "  window_days: 30",
            "  window_days: 30\n  unused: 1",
            "returns.unused stands in no",
        ),
        ("moods.yaml", "typo_rate: 0.004", "typo_rate: often", "calm.typo_rate"),
    ],
)
def test_broken_content_names_place_and_reason(
    tmp_path: Path, name: str, old: str, new: str, reason: str
) -> None:
    folder = tmp_path / "content"
    shutil.copytree(CONTENT, folder)
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(UserError) as caught:
        load_content(folder)
    assert reason in str(caught.value)
