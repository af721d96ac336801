import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.schema import InvalidRows, Problem, Row, check_line

SECRET = "Anna Karenina, 12 Rail Street"


def row(**changes: Any) -> dict[str, Any]:
    """A sound row; keys with a dot go into its meta data."""
    meta: dict[str, Any] = {
        "source": {"name": "zendesk", "file": "tickets.jsonl", "line": 1},
        "group": "5f3a",
        "origin": "ticket",
        "language": "en",
        "fields": {"tags": ["stock"], "csat": None},
        "notes_removed": 1,
        "cut": [{"role": "user", "content": "Thanks"}],
        "pii": {"EMAIL": 2},
        "quality": {"score": 0.81, "coherence": 0.9, "coherence_by": "judge", "flags": ["link"]},
        "topic": "stock",
        "difficulty": "easy",
        "sentiment": "neutral",
        "cluster": None,
        "labels": [{"by": "ann", "label": "stock", "at": "2026-04-01T10:00:00Z"}],
    }
    messages = [
        {"role": "system", "content": "You answer for a shop."},
        {"role": "user", "content": "Is volume 3 in?"},
        {"role": "assistant", "content": "It is."},
    ]
    made: dict[str, Any] = {"id": "zendesk/17", "messages": messages, "meta": meta}
    for key, value in changes.items():
        place = made if key in made else meta
        place[key] = value
    return made


def problems(value: Any) -> list[Problem]:
    line = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(InvalidRows) as found:
        check_line(line)
    assert SECRET not in str(found.value)
    return found.value.problems


def test_a_sound_row_comes_back_as_it_was() -> None:
    read = check_line(json.dumps(row()).encode())
    assert isinstance(read, Row)
    assert (read.id, read.meta.quality and read.meta.quality.score) == ("zendesk/17", 0.81)
    assert read.meta.quality is not None and read.meta.quality.factuality is None


def test_a_row_of_a_holdout_has_no_quality_and_no_topic() -> None:
    bare = row(quality=None, topic=None, difficulty=None, sentiment=None, labels=[], pii={})
    assert check_line(json.dumps(bare).encode()).meta.quality is None


def test_all_wrong_columns_are_named_with_the_row_and_without_their_content() -> None:
    wrong = row(
        origin=SECRET,
        language=7,
        pii={"EMAIL": 0},
        notes_removed=-1,
        difficulty=SECRET,
        quality={"score": 1.2, "coherence_by": SECRET},
        labels=[{"by": "ann"}],
        surprise=SECRET,
    )
    found = problems(wrong)
    assert {problem.id for problem in found} == {"zendesk/17"}
    assert {problem.column for problem in found} == {
        "meta.origin",
        "meta.language",
        "meta.pii.EMAIL",
        "meta.notes_removed",
        "meta.difficulty",
        "meta.quality.score",
        "meta.quality.coherence_by",
        "meta.labels.0.label",
        "meta.surprise",
    }


@pytest.mark.parametrize(
    ("messages", "rule"),
    [
        ([], "no_messages"),
        ([{"role": "assistant", "content": SECRET}], "no_user_turn"),
        ([{"role": "user", "content": SECRET}], "no_assistant_turn"),
        ([{"role": "user", "content": SECRET}, {"role": "bot", "content": SECRET}], "bad_role"),
        (
            [{"role": "user", "content": f" {SECRET}"}, {"role": "assistant", "content": "Ok"}],
            "not in the form",
        ),
        (
            [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello"},
                {"role": "user", "content": SECRET},
            ],
            "should have been cut off",
        ),
    ],
)
def test_messages_must_be_ready_for_training(messages: list[dict[str, str]], rule: str) -> None:
    (found,) = problems(row(messages=messages))
    assert found.column == "row"
    assert rule in found.rule


def test_numbers_are_not_guessed_from_text() -> None:
    assert [p.column for p in problems(row(notes_removed="1"))] == ["meta.notes_removed"]
    not_a_number = json.dumps(row(quality={"score": float("nan")})).encode()
    assert [p.column for p in problems(not_a_number)] == ["meta.quality.score"]


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"null", b'{"id": 7}', b"\xff", b'"' + SECRET.encode() + b'"']
)
def test_what_is_no_row_at_all(line: bytes) -> None:
    assert problems(line)


keys = st.sampled_from(["id", "meta", "messages"])
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner),
    max_leaves=8,
)


@given(st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
def test_any_line_is_a_row_or_has_problems(line: bytes) -> None:
    with pytest.raises(InvalidRows) as found:
        check_line(line)
    assert found.value.problems


def test_the_text_names_five_problems_and_counts_the_rest() -> None:
    error = InvalidRows([Problem(f"r{n}", "score", "in_range(0, 1)") for n in range(7)])
    assert str(error).startswith("r0: score: in_range(0, 1); r1:")
    assert str(error).endswith("r4: score: in_range(0, 1); and 2 more")
