import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.audit.agreement import agreement, krippendorff_alpha, percent_agreement
from data_pipeline.audit.model import Disagreement

units = st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=12)


def test_the_published_example() -> None:
    # Krippendorff (2011): four observers, twelve units, missing values.
    columns = [
        "123321412...",
        "1233224125.3",
        ".3332342251.",
        "12332441251.",
    ]
    rows = [[label for label in unit if label != "."] for unit in zip(*columns, strict=True)]
    assert krippendorff_alpha(rows) == pytest.approx(0.743, abs=5e-4)


def test_by_hand() -> None:
    # n = 8 labels, 5 a and 3 b; one unit disagrees: 1 - 7 * 2 / (64 - 25 - 9).
    rows = [("a", "a"), ("a", "a"), ("b", "b"), ("b", "a")]
    assert krippendorff_alpha(rows) == pytest.approx(1 - 14 / 30)
    assert percent_agreement(rows) == 0.75
    # Three labels make three pairs, of which one agrees.
    assert percent_agreement([("a", "a", "b")]) == pytest.approx(1 / 3)


def test_where_there_is_nothing_to_compare() -> None:
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([("a",), ()]) is None
    assert percent_agreement([("a",)]) is None
    assert krippendorff_alpha([("a", "a"), ("a", "a")]) is None, "one label in use says nothing"


@given(units)
def test_alpha_is_at_most_1_and_is_1_for_full_agreement_only(rows: list[list[str]]) -> None:
    alpha = krippendorff_alpha(rows)
    compared = [row for row in rows if len(row) > 1]
    if alpha is None:
        assert len({label for row in compared for label in row}) < 2
    else:
        assert alpha <= 1
        assert (alpha == 1) == all(len(set(row)) == 1 for row in compared)


@given(units, st.permutations("abc"))
def test_neither_names_nor_order_of_labels_matter(rows: list[list[str]], names: Sequence[str]) -> None:
    renamed = [[names["abc".index(label)] for label in reversed(row)] for row in reversed(rows)]
    assert krippendorff_alpha(renamed) == pytest.approx(krippendorff_alpha(rows))
    assert percent_agreement(renamed) == pytest.approx(percent_agreement(rows))


def labels(**said: str) -> str:
    return json.dumps([{"by": who, "label": label, "at": None} for who, label in said.items()])


def test_rows_with_labels_of_several_people() -> None:
    found = agreement(
        [
            labels(ann="a", bob="a"),
            labels(ann="b", bob="a"),
            labels(ann="a", bob="b"),
            labels(ann="c"),
            labels(bob="b", cy="b", ann="b"),
        ]
    )
    assert found is not None
    assert (found.rows, found.annotators) == (4, 3)
    assert found.percent == pytest.approx(4 / 6)
    assert found.disagreements == [Disagreement(labels=("a", "b"), pairs=2)]


def test_a_person_counts_once_with_their_latest_label() -> None:
    said = [
        {"by": "ann", "label": "new", "at": "2026-05-02T08:00:00Z"},
        {"by": "ann", "label": "old", "at": "2026-05-01T08:00:00Z"},
    ]
    assert agreement([json.dumps(said)]) is None
    said.append({"by": "bob", "label": "new", "at": "2026-05-01T08:00:00Z"})
    found = agreement([json.dumps(said), labels(ann="old", bob="old")])
    assert found is not None
    assert (found.percent, found.alpha) == (1, 1)


def test_not_measured_without_labels() -> None:
    assert agreement([]) is None
    assert agreement(["[]", labels(ann="a")]) is None
