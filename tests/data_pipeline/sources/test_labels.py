import json
from pathlib import Path

import pytest

from data_pipeline.sources.columns import LabelColumns
from data_pipeline.sources.labels import given_labels, moment, read_labels
from tests.data_pipeline.building import chat, ticket
from tests.data_pipeline.sources.reading import read, write


def columns(*values: dict[str, str]) -> list[LabelColumns]:
    return [LabelColumns.model_validate(value) for value in values]


def test_a_label_says_who_and_when() -> None:
    row = {"intent": "refund", "annotator": "ines", "on": 1704697320, "second": "returns", "third": ""}
    asked = columns(
        {"label": "intent", "by": "annotator", "at": "on"}, {"label": "second"}, {"label": "third"}
    )
    assert read_labels(row, asked, "desk") == [
        {"by": "ines", "label": "refund", "at": "2024-01-08T07:02:00Z"},
        {"by": "desk", "label": "returns", "at": None},
    ]


@pytest.mark.parametrize(
    ("row", "name", "labels"),
    [
        ({"a": {"b": "x"}}, "a.b", ["x"]),
        ({"a.b": "y", "a": {"b": "x"}}, "a.b", ["y"]),
        ({"a": {"b": {"c": ["x", "y", None, ["z"]]}}}, "a.b.c", ["x", "y"]),
        (
            {"custom_fields": [{"id": 1, "value": "n"}, {"id": 360021, "value": "x"}]},
            "custom_fields.360021",
            ["x"],
        ),
        ({"custom_fields": [{"id": 1, "value": {"d": "x"}}, "odd"]}, "custom_fields.1.d", ["x"]),
        ({"custom_fields": [{"id": 1}]}, "custom_fields.2", []),
        ({"a": "text"}, "a.b", []),
        ({"a": None}, "a", []),
        ({}, "a.b.c", []),
        ({"a": 5}, "a", ["5"]),
        ({"a": True}, "a", ["true"]),
    ],
)
def test_labels_are_found_within_objects_and_lists(
    row: dict[str, object], name: str, labels: list[str]
) -> None:
    assert [label["label"] for label in read_labels(row, columns({"label": name}), "desk")] == labels


def test_labels_of_the_projects_own_format_are_checked() -> None:
    given = [{"by": "ines", "label": "refund", "at": "2024-01-08"}, {"by": "bot", "label": "other"}]
    assert given_labels(given) == [*given[:1], {"by": "bot", "label": "other", "at": None}]
    for wrong in (
        None,
        "refund",
        ["refund"],
        [{"label": "refund"}],
        [{"by": "x", "label": ""}],
        [given[0] | {"a": 1}],
    ):
        assert given_labels(wrong) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1704697320.5, "2024-01-08T07:02:00Z"),
        ("2024-01-08 07:02", "2024-01-08 07:02"),
        (1e30, "1e+30"),
        (-(10**20), str(-(10**20))),
        (None, None),
        ([1], None),
    ],
)
def test_a_moment_is_written_in_one_way(value: object, text: str | None) -> None:
    assert moment(value) == text


def test_every_type_of_source_can_have_labels(tmp_path: Path) -> None:
    asked = [{"label": "intent", "by": "who"}]
    ours = [{"by": "desk", "label": "returns", "at": None}]
    row = chat("Hi", "Hello", intent="refund", who="ines", labels=ours)
    path = write(tmp_path / "chat.jsonl", json.dumps(row))
    found = read(tmp_path, type="chat", path=path, labels=asked)
    assert found.documents[0].metadata["labels"] == [*ours, {"by": "ines", "label": "refund", "at": None}]
    assert found.fields == [{"intent": "refund", "who": "ines"}]

    row = ticket(1, "Hi", "Hello", custom_fields=[{"id": 7, "value": "refund"}])
    path = write(tmp_path / "tickets.jsonl", json.dumps(row))
    found = read(tmp_path, type="zendesk", path=path, labels=[{"label": "custom_fields.7"}])
    assert found.documents[0].metadata["labels"] == [{"by": "zendesk", "label": "refund", "at": None}]

    path = write(tmp_path / "t.csv", "c,r,t,i\n1,user,Hi,refund\n1,agent,Hello,refund\n1,user,Bye,thanks\n")
    turns = {"conversation": "c", "role": "r", "text": "t"}
    found = read(tmp_path, type="table", path=path, columns=turns, labels=[{"label": "i"}])
    assert [label["label"] for label in found.documents[0].metadata["labels"]] == ["refund", "thanks"]

    found = read(tmp_path, type="table", path=path, columns=turns, labels=[{"label": "intent"}])
    assert found.reasons == ["missing_column"]


def test_labels_that_are_none_stay_a_field(tmp_path: Path) -> None:
    path = write(tmp_path / "chat.jsonl", json.dumps(chat("Hi", "Hello", labels=["refund"])))
    found = read(tmp_path, type="chat", path=path)
    assert found.fields == [{"labels": ["refund"]}]
    assert found.documents[0].metadata["labels"] == []
