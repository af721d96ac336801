import math
from typing import Any

import pandas as pd
import pytest

from data_pipeline.audit.columns import check_frame
from data_pipeline.quality.config import COMPONENTS
from data_pipeline.schema import InvalidRows
from tests.data_pipeline.audit.frames import company, frame, rejected

SECRET = "Anna Karenina, 12 Rail Street"


def problems(data: pd.DataFrame) -> set[tuple[str | None, str, str]]:
    with pytest.raises(InvalidRows) as found:
        check_frame(data)
    assert SECRET not in str(found.value)
    return {(problem.id, problem.column, problem.rule) for problem in found.value.problems}


def test_a_sound_frame_gets_its_types_and_null_stays_null() -> None:
    checked = check_frame(frame({}, rejected("level1", "duplicate", score=0.5), {"multi_intent": True}))
    assert checked["multi_intent"].dtype == "boolean"
    assert checked["multi_intent"].isna().tolist() == [True, True, False]
    assert checked["score"].dtype == "Float64"
    assert checked["topic"].isna().all()
    assert len(check_frame(company(300))) == 300
    assert check_frame(frame({}).iloc[:0]).empty


def test_the_frame_survives_parquet(tmp_path: Any) -> None:
    checked = check_frame(company(200))
    checked.to_parquet(tmp_path / "columns.parquet", index=False)
    pd.testing.assert_frame_equal(check_frame(pd.read_parquet(tmp_path / "columns.parquet")), checked)


@pytest.mark.parametrize("column", ["score", *COMPONENTS])
@pytest.mark.parametrize("value", [-0.01, 1.01, math.inf])
def test_scores_are_between_0_and_1(column: str, value: float) -> None:
    assert problems(frame({}, {column: value})) == {("r1", column, "in_range(0, 1)")}


@pytest.mark.parametrize(
    "column", ["origin", "level", "difficulty", "sentiment", "coherence_by", "factuality_by", "outcome"]
)
def test_unknown_names_are_refused_and_not_repeated(column: str) -> None:
    assert ("r1", column) in {(row, name) for row, name, _ in problems(frame({}, {column: SECRET}))}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("labels", "no JSON"),
        ("labels", '[{"by": "ann"}]'),
        ("labels", '{"by": "ann", "label": "x"}'),
        ("flags", '{"link": 1}'),
        ("flags", "[1]"),
        ("pii", '{"EMAIL": 0}'),
        ("pii", '{"EMAIL": "2"}'),
        ("pii", "[" * 10_000),
        ("pii", "[]"),
    ],
)
def test_columns_of_json_are_read(column: str, value: str) -> None:
    ((row, name, rule),) = problems(frame({}, {column: value}))
    assert (row, name) == ("r1", column)
    assert rule.startswith("JSON: ")


def test_a_rejected_row_has_level_and_reason_and_a_kept_one_has_not() -> None:
    rule = "rejected rows, and no others, have a level and a reason"
    assert problems(frame({}, rejected("level1", None))) == {("r1", "row", rule)}
    assert problems(frame({}, rejected(None, "duplicate"))) == {("r1", "row", rule)}
    assert problems(frame({"reason": "duplicate"}, {})) == {("r0", "row", rule)}


def test_kept_rows_have_ids_of_their_own_but_rejected_ones_may_repeat_them() -> None:
    twice = frame({"id": "a"}, {"id": "a", "outcome": "test"}, {"id": "b"})
    assert problems(twice) == {("a", "row", "kept rows have ids of their own")}
    repeats = [rejected("level1", "duplicate", id="a")] * 2
    assert len(check_frame(frame({"id": "a"}, *repeats))) == 3


def test_numbers_are_not_guessed_from_text() -> None:
    found = problems(frame({}, {"characters": SECRET}, {"multi_intent": SECRET}))
    assert ("r1", "characters") in {(row, column) for row, column, _ in found}
    assert ("r2", "multi_intent") in {(row, column) for row, column, _ in found}


def test_columns_that_lack_or_are_too_many_are_named() -> None:
    assert problems(frame({}).drop(columns="topic")) == {(None, "topic", "column_in_dataframe")}
    assert problems(frame({}).assign(text=SECRET)) == {(None, "text", "column_in_schema")}


def test_a_row_without_an_id_is_named_by_its_place() -> None:
    assert ("row 1", "id", "not_nullable") in problems(frame({}, {"id": None}))


def test_every_bad_row_is_named_whatever_else_is_wrong_with_it() -> None:
    """pandera's drop_invalid_rows lets rows through that fail several checks or a nullable column's."""
    bad = [{"score": 2.0, "pii": "x"}, {"csat": -1.0}, {"labels": "x"}, {"turns": 0}]
    rows = [row for pair in zip([{}] * len(bad), bad, strict=True) for row in pair]
    assert {row for row, _, _ in problems(frame(*rows))} == {"r1", "r3", "r5", "r7"}
