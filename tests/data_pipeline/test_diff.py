import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from common.artifacts import Recipe, writing
from common.config import Config
from common.errors import UserError
from data_pipeline.diff.__main__ import main
from data_pipeline.diff.compare import diff
from data_pipeline.diff.index import read_rejected
from data_pipeline.diff.model import DatasetDiff
from tests.data_pipeline.building import build_dataset, chat, read_lines, write_lines

SECRET = "Anna Karenina, 12 Rail Street"


class Settings(Config):
    split_seed: int = 42
    threshold: float = 0.5
    audit: dict[str, float] = Field(default_factory=dict)


def row(row_id: str, text: str = "Is it in?", **meta: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "Yes."}]
    source = {"name": "shop", "file": "a.jsonl", "line": 1}
    return {"id": row_id, "messages": messages, "meta": {"source": source, "group": "g", **meta}}


def dataset(
    path: Path,
    *,
    rejected: Sequence[Any] = (),
    config: Settings | None = None,
    inputs: dict[str, str] | None = None,
    kind: str = "dataset",
    **splits: list[dict[str, Any]],
) -> Path:
    """An artifact of these rows, as a build writes it."""
    recipe = Recipe.of(kind, config or Settings(), inputs={}, code=())
    recipe.inputs.update(inputs or {})
    splits = {"train": [], "val": [], "test": [], **splits}
    reasons: dict[str, int] = {}
    for record in rejected:
        reasons[record["reason"]] = reasons.get(record["reason"], 0) + 1
    recipe.counts.update(
        rows_read=sum(map(len, splits.values())) + len(rejected),
        rows={name: len(rows) for name, rows in splits.items()},
        rejected=reasons,
    )
    with writing(path, recipe) as folder:
        for name, rows in splits.items():
            write_lines(folder / f"{name}.jsonl", rows)
        write_lines(folder / "rejected.jsonl", rejected)
    return path


def test_a_dataset_and_itself(tmp_path: Path) -> None:
    rows = [row(f"r{n}", language="en", topic="faq") for n in range(30)]
    path = dataset(tmp_path / "a", train=rows, rejected=[{"reason": "duplicate", "id": "r1", "raw": "x"}])
    found = diff(path, path)
    assert found.same_content
    assert (found.manifest.config, found.manifest.code) == ({}, "same")
    assert found.rows.same == 30
    assert [found.rows.added.count, found.rows.removed.count, found.rows.content_changed.count] == [0, 0, 0]
    assert (found.rows.moved, found.warnings) == ([], [])
    assert {drift.name: drift.psi for drift in found.drift} == {
        "source": 0,
        "language": 0,
        "topic": 0,
        "length": 0,
    }


def test_rows_added_removed_changed_and_moved(tmp_path: Path) -> None:
    before = dataset(
        tmp_path / "a",
        train=[row("same"), row("moved"), row("edited"), row("gone"), row("known", topic="faq")],
        val=[row("up")],
        rejected=[{"reason": "low_score", "detail": "", "id": "new", "raw": "x"}],
    )
    after = dataset(
        tmp_path / "b",
        train=[row("same"), row("edited", "Is it out?"), row("known", topic="stock"), row("up", "What?")],
        test=[row("moved"), row("new")],
        rejected=[
            {"reason": "duplicate", "detail": "", "id": "gone", "raw": "x"},
            {"reason": "other", "detail": "", "id": "gone", "raw": "x"},
            {"reason": "duplicate", "detail": "", "id": "elsewhere", "raw": "x"},
        ],
    )
    found = diff(before, after)
    rows = found.rows
    assert not found.same_content
    assert rows.same == 1
    assert (rows.added.count, rows.added.examples) == (1, ["new"])
    assert (rows.removed.count, rows.removed.examples) == (1, ["gone"])
    assert (rows.content_changed.count, rows.content_changed.examples) == (2, ["edited", "up"])
    assert (rows.meta_changed.count, rows.meta_changed.examples) == (1, ["known"])
    assert [(move.before, move.after, move.rows.examples) for move in rows.moved] == [
        ("train", "test", ["moved"]),
        ("val", "train", ["up"]),
    ]
    assert (rows.now_rejected, rows.once_rejected) == ({"duplicate": 1}, {"low_score": 1})
    (warning,) = found.warnings
    assert warning.startswith("1 rows moved from train to test")
    assert {name: (change.before, change.after) for name, change in found.counts.items()} == {
        "rows_read": (7, 9),
        "rows/train": (5, 4),
        "rows/val": (1, 0),
        "rows/test": (0, 2),
        "rejected/low_score": (1, None),
        "rejected/duplicate": (None, 2),
        "rejected/other": (None, 1),
    }


def test_a_row_of_another_line_or_file_is_the_same_row(tmp_path: Path) -> None:
    other = row("r")
    other["meta"]["source"] = {"name": "shop", "file": "b.jsonl", "line": 9}
    found = diff(dataset(tmp_path / "a", train=[row("r")]), dataset(tmp_path / "b", train=[other]))
    assert (found.rows.same, found.same_content) == (1, False)


def test_a_holdout_that_came_out_of_training_is_warned_of(tmp_path: Path) -> None:
    before = dataset(tmp_path / "a", train=[row("r")])
    found = diff(before, dataset(tmp_path / "b", golden=[row("r")]))
    assert [(move.before, move.after) for move in found.rows.moved] == [("train", "golden")]
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    ("settings", "code", "names"),
    [
        ({}, "same", []),
        (
            {"config": Settings(split_seed=43, audit={"a": 1.0})},
            "unknown",
            ["audit", "audit.a", "split_seed"],
        ),
        ({"inputs": {"0/shop/b.jsonl": "22", "0/shop/a.jsonl": "12"}}, "unknown", []),
    ],
)
def test_what_made_them(tmp_path: Path, settings: dict[str, Any], code: str, names: list[str]) -> None:
    before = dataset(
        tmp_path / "a", train=[row("r")], inputs={"0/shop/a.jsonl": "11", "0/shop/c.jsonl": "33"}
    )
    settings = {"inputs": {"0/shop/a.jsonl": "11", "0/shop/c.jsonl": "33"}, **settings}
    found = diff(before, dataset(tmp_path / "b", train=[row("r")], **settings))
    assert found.manifest.code == code
    assert sorted(found.manifest.config) == names
    changed = "config" not in settings and code == "unknown"
    assert found.manifest.inputs_changed == (["0/shop/a.jsonl"] if changed else [])
    assert found.manifest.inputs_added == (["0/shop/b.jsonl"] if changed else [])
    assert found.manifest.inputs_removed == (["0/shop/c.jsonl"] if changed else [])
    assert found.same_content, "the rows are the same, whatever made them"


def test_other_code_with_the_same_config_and_inputs_shows(tmp_path: Path) -> None:
    before, after = (dataset(tmp_path / name, train=[row("r")]) for name in "ab")
    manifest = json.loads((after / "manifest.json").read_text())
    (after / "manifest.json").write_text(json.dumps({**manifest, "fingerprint": "another"}))
    assert diff(before, after).manifest.code == "changed"


def test_drift_of_topics(tmp_path: Path) -> None:
    before = dataset(tmp_path / "a", train=[row(f"r{n}", topic="ab"[n % 2]) for n in range(1000)])
    after = dataset(tmp_path / "b", train=[row(f"r{n}", topic="aaab"[n % 4]) for n in range(1000)])
    (drift,) = (drift for drift in diff(before, after).drift if drift.name == "topic")
    assert drift.psi == pytest.approx(0.27465, abs=1e-5)
    assert drift.verdict == "drifted"


def test_any_change_is_found_by_brute_force(tmp_path: Path) -> None:
    draw = random.Random(7)
    names = ("train", "val", "test")
    sides = []
    for _ in range(2):
        ids = draw.sample(range(600), 400)
        sides.append({f"r{n}": (draw.choice(names), draw.choice("xy"), draw.choice("pq")) for n in ids})
    paths = [
        dataset(
            tmp_path / str(number),
            **{
                name: [row(i, text, topic=topic) for i, (split, text, topic) in side.items() if split == name]
                for name in names
            },
        )
        for number, side in enumerate(sides)
    ]
    found = diff(*paths).rows
    old, new = sides
    both = old.keys() & new.keys()
    assert found.added.count == len(new.keys() - old.keys())
    assert found.removed.count == len(old.keys() - new.keys())
    assert found.content_changed.count == sum(old[i][1] != new[i][1] for i in both)
    assert found.meta_changed.count == sum(old[i][1] == new[i][1] and old[i][2] != new[i][2] for i in both)
    assert found.same == sum(old[i] == new[i] for i in both)
    assert {(move.before, move.after): move.rows.count for move in found.moved} == {
        way: count
        for way in ((a, b) for a in names for b in names if a != b)
        if (count := sum((old[i][0], new[i][0]) == way for i in both))
    }


def test_ids_that_come_twice_are_told(tmp_path: Path) -> None:
    path = dataset(tmp_path / "a", train=[row("r"), row("r", "Again?")])
    found = diff(path, dataset(tmp_path / "b", train=[row("r")]))
    assert (found.rows.ids_twice, found.rows.same) == (1, 1)
    assert found.before.rows == 2
    assert found.warnings == ["1 ids come twice: only their first row was compared"]


def test_rejected_rows_are_read_by_their_beginning(tmp_path: Path) -> None:
    path = tmp_path / "rejected.jsonl"
    hostile = {"detail": 'an "id": "x", "raw', "reason": "bad_message", "id": 'a"\\', "raw": "z" * 200_000}
    truncated = b'{"reason": "broken_json", "id": "cut'
    path.write_bytes(
        b"".join(
            [
                json.dumps({"reason": "duplicate", "id": "r1", "raw": "y" * 1_000_000}).encode() + b"\n",
                json.dumps(hostile).encode() + b"\n",
                b"\n",
                b"[]\n",
                json.dumps({"id": None, "reason": "broken_json"}).encode() + b"\n",
                json.dumps({"id": "r2", "reason": "too_short"}).encode() + b"\n",
                truncated,
            ]
        )
    )
    ids, reasons = read_rejected(path)
    assert reasons == ["duplicate", "bad_message", "too_short"]
    assert len(set(ids.tolist())) == 3
    assert read_rejected(tmp_path / "none.jsonl")[1] == []


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"id": 1}', b'{"id": "r", "messages": ["x"], "meta": {}}', b"\xff"]
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: bytes) -> None:
    path = dataset(tmp_path / "a", train=[row("r")])
    (path / "train.jsonl").write_bytes(line + b"\n")
    with pytest.raises(UserError, match=r"line 1 of '.*train\.jsonl' is no row"):
        diff(path, path)


def test_what_can_not_be_compared(tmp_path: Path) -> None:
    path = dataset(tmp_path / "a", train=[row("r")])
    with pytest.raises(UserError, match="is not an artifact"):
        diff(path, tmp_path / "nothing")
    with pytest.raises(UserError, match="is of kind adapter"):
        diff(path, dataset(tmp_path / "b", kind="adapter"))
    (path / "val.jsonl").unlink()
    with pytest.raises(UserError, match=r"lacks val\.jsonl"):
        diff(path, path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = dataset(tmp_path / "a", train=[row("zendesk/1", SECRET), row("zendesk/2")])
    after = dataset(tmp_path / "b", train=[row("zendesk/2", SECRET)], test=[row("zendesk/1", SECRET)])
    assert main([str(before), str(after), "--json", str(tmp_path / "out" / "diff.json")]) == 0
    printed = capsys.readouterr().out
    assert "the content differs" in printed
    assert "moved: train to test" in printed
    assert "warning: 1 rows moved from train to test" in printed
    assert "zendesk/1" in printed
    written = (tmp_path / "out" / "diff.json").read_text()
    assert SECRET not in printed + written
    assert DatasetDiff.model_validate_json(written) == diff(before, after)


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = dataset(tmp_path / "a", train=[row("r")])
    assert main([str(path), str(tmp_path / "nothing")]) == 1
    assert "error: " in capsys.readouterr().err
    assert main([str(path), str(path), "--json", str(path / "train.jsonl" / "x")]) == 1
    with pytest.raises(SystemExit) as usage:
        main([str(path)])
    assert usage.value.code == 2


@pytest.mark.slow
def test_two_real_builds(tmp_path: Path) -> None:
    split = {"train": 0.6, "val": 0.2, "test": 0.2}
    rows = [chat(f"Where is parcel {n}?", f"Parcel {n} is on its way.", id=n) for n in range(60)]
    old = build_dataset(tmp_path / "a", write_lines(tmp_path / "old.jsonl", rows), split=split)
    rows[3] = chat("Where is parcel 3?", "Parcel 3 was lost.", id=3)
    later = write_lines(tmp_path / "new.jsonl", [*rows[1:], chat("Any news?", "None.", id="news")])
    new = build_dataset(tmp_path / "b", later, split=split)
    command = [
        sys.executable,
        "-m",
        "data_pipeline.diff",
        str(old.path),
        str(new.path),
        "--json",
        "diff.json",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = DatasetDiff.model_validate_json((tmp_path / "diff.json").read_bytes())
    kept = {row["id"] for row in new.kept}
    assert len(read_lines(new.path / "train.jsonl")) == found.counts["rows/train"].after
    assert found.after.rows == len(kept)
    assert found.rows.added.examples == ["chat/news"]
    assert found.rows.removed.examples == ["chat/0"]
    assert found.rows.content_changed.examples == ["chat/3"]
