"""Preference pairs and synthetic rows."""

import re
from collections import Counter
from itertools import pairwise
from typing import Any, get_args

import pytest

from data_pipeline.sample.generate import Sample
from data_pipeline.sample.label_models import BadAnswerKind, LowQualityKind
from data_pipeline.sample.pairs import PairRows
from data_pipeline.sample.splits import bad_answer_lines
from data_pipeline.sample.synthetic import SyntheticRows
from tests.data_pipeline.sample.made import Made


@pytest.fixture(scope="module", params=[False, True], ids=["seen", "held_out"])
def pairs(sample: Sample, request: pytest.FixtureRequest) -> Made:
    rows = PairRows(sample, held_out=request.param)
    return [rows.row(index) for index in range(800)]


def side(row: dict[str, Any], name: str) -> str:
    [message] = row[name]
    assert message["role"] == "assistant"
    return str(message["content"])


def test_pairs_have_the_conversational_format(pairs: Made) -> None:
    for row, _ in pairs:
        assert set(row) == {"id", "prompt", "chosen", "rejected"}
        roles = [message["role"] for message in row["prompt"]]
        assert roles[0] == roles[-1] == "user"
        assert all(one != two for one, two in pairwise(roles))
        assert side(row, "chosen") != side(row, "rejected")


def test_length_does_not_tell_the_better_answer(pairs: Made) -> None:
    differences = [len(side(row, "chosen")) - len(side(row, "rejected")) for row, _ in pairs]
    longer, shorter = sum(d > 0 for d in differences), sum(d < 0 for d in differences)

    assert 0.44 < longer / (longer + shorter) < 0.56
    assert abs(sum(differences)) / len(differences) < 8


def test_all_kinds_of_bad_answers_are_there(pairs: Made) -> None:
    kinds = Counter(truth["kind"] for _, truth in pairs)

    assert set(kinds) == {*get_args(BadAnswerKind), "contradiction"}
    assert 0.25 < kinds["contradiction"] / len(pairs) < 0.45


def test_a_contradiction_is_in_the_rejected_answer_only(pairs: Made) -> None:
    for row, truth in pairs:
        if truth["contradiction"]:
            stated = re.sub(r"\W+", "", truth["contradiction"]["stated"])
            assert stated in re.sub(r"\W+", "", side(row, "rejected"))


def test_pairs_of_held_out_situations_are_apart(sample: Sample) -> None:
    held_out = {situation.name for situation in sample.situations(held_out=True)}
    names = [
        {PairRows(sample, held_out=which).row(index)[1]["situation"] for index in range(200)}
        for which in (False, True)
    ]
    assert not names[0] & held_out
    assert names[1] <= held_out


def test_bad_answers_of_held_out_situations_are_not_those_of_the_others(sample: Sample) -> None:
    kinds = sample.content.bad_answers
    for lines in kinds.values():
        seen, held_out = bad_answer_lines(lines, held_out=False), bad_answer_lines(lines, held_out=True)
        assert len(seen) + len(held_out) == len(lines)
        assert len(held_out) >= 2


def test_synthetic_rows_and_what_is_wrong_with_some(sample: Sample) -> None:
    made = [SyntheticRows(sample).row(index) for index in range(1500)]
    spoilt = Counter(truth["low_quality"] for _, truth in made if truth["low_quality"])

    assert set(spoilt) == set(get_args(LowQualityKind))
    assert 0.065 < spoilt.total() / len(made) < 0.13
    for row, _ in made:
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
        assert row["source"] == "synthetic"
        assert row["article"] in sample.content.articles
