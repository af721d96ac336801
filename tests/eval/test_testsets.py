"""Test sets with defects are refused by name; turns are drawn by hash."""

import json
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from eval.testsets import draw_turns, read_test_set


def row(row_id: str, turns: int = 2, **meta: Any) -> dict[str, Any]:
    messages = [
        {"role": role, "content": f"{role} {number} of {row_id}"}
        for number in range(turns)
        for role in ("user", "assistant")
    ]
    return {"id": row_id, "messages": messages, "meta": meta}


def write(path: Path, *rows: Any) -> Path:
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def problem(tmp_path: Path, *rows: Any) -> str:
    with pytest.raises(UserError) as error:
        read_test_set(write(tmp_path / "test.jsonl", *rows), "group")
    return error.value.what


def test_rows_are_read_in_order_and_normalised(tmp_path):
    spoken = [{"role": "user", "content": " Hi "}, {"role": "assistant", "content": "Hello"}]
    path = write(tmp_path / "test.jsonl", row("b", group="g1"), {"id": "a", "messages": spoken})
    first, second = read_test_set(path, "group")
    assert [first.id, second.id] == ["b", "a"]
    assert second.messages[0] == {"role": "user", "content": "Hi"}


def test_a_row_without_the_field_is_a_cluster_of_its_own(tmp_path):
    path = write(
        tmp_path / "test.jsonl", row("a", group="b"), row("b"), row("c", group="b"), row("d", group=None)
    )
    clusters = [conversation.cluster for conversation in read_test_set(path, "group")]
    assert clusters[0] == clusters[2]
    assert len(set(clusters)) == 3


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"id": "x", "mess', "line 2: not JSON"),
        (b"\xff\xfe", "line 2: not JSON"),
        (b"[" * 100_000, "line 2: not JSON"),
        ([1], "line 2: no id"),
        ({"messages": []}, "line 2: no id"),
        ({"id": 7, "messages": []}, "line 2: no id"),
        ({"id": "x"}, "line 2: id 'x': no_messages"),
        (
            {"id": "x", "messages": [{"role": "user", "content": "secret"}]},
            "line 2: id 'x': no_assistant_turn",
        ),
        (row("a"), "id 'a' is given 2 times"),
    ],
)
def test_defects_are_named(tmp_path, bad, reason):
    what = problem(tmp_path, row("a"), bad, row("c"))
    assert reason in what
    assert "secret" not in what


def test_all_defects_are_counted(tmp_path):
    what = problem(tmp_path, *[{"id": f"row{n}"} for n in range(8)])
    assert "row4" in what and "row5" not in what
    assert "and 3 more" in what


@pytest.mark.parametrize("rows", [[], [row("a")], [row("a", group=1), row("b", group=1)]])
def test_fewer_than_two_customers_are_no_test_set(tmp_path, rows):
    assert "fewer than two customers" in problem(tmp_path, *rows)


def test_turns_are_assistant_turns_with_what_was_said_before(tmp_path):
    conversations = read_test_set(write(tmp_path / "test.jsonl", row("a"), row("b", turns=3)), "group")
    turns = draw_turns(conversations, 100, seed=1)
    assert len(turns) == 5
    for turn in turns:
        assert turn.prompt == turn.conversation.messages[: turn.index]
        assert turn.prompt[-1]["role"] == "user"
        assert turn.reference.startswith("assistant")


def test_a_new_row_moves_no_drawn_turn(tmp_path):
    rows = [row(f"row{n}") for n in range(50)]
    before = draw_turns(read_test_set(write(tmp_path / "a.jsonl", *rows), "group"), 20, seed=1)
    after = draw_turns(
        read_test_set(write(tmp_path / "b.jsonl", row("new"), *rows[::-1]), "group"), 20, seed=1
    )
    kept = [(turn.conversation.id, turn.index) for turn in after if turn.conversation.id != "new"]
    assert kept == [(turn.conversation.id, turn.index) for turn in before][: len(kept)]
    assert len(kept) >= 18


def test_another_seed_draws_others(tmp_path):
    conversations = read_test_set(write(tmp_path / "a.jsonl", *[row(f"row{n}") for n in range(50)]), "group")
    one, other = (draw_turns(conversations, 20, seed) for seed in (1, 2))
    assert len(one) == 20
    assert one != other
