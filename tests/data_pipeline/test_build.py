import base64
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from common.artifacts import verify
from common.command import Options
from common.errors import UserError
from data_pipeline.build import build
from data_pipeline.config import BuildConfig
from tests.data_pipeline.building import (
    AGENT,
    NO_LEVELS,
    PROMPT,
    build_dataset,
    chat,
    dialogues,
    read_lines,
    ticket,
    write_lines,
)


def test_a_ticket_becomes_a_clean_row(tmp_path: Path) -> None:
    row = ticket(17, "<p>Is vol.&nbsp;３ in?</p>", "Ask the depot", "It’s in!  ", "Thanks", tags=["stock"])
    row["comments"][1]["public"] = False
    row["comments"][2]["author_id"] = AGENT
    row["comments"][3]["author_id"] = row["requester_id"]
    path = write_lines(tmp_path / "export" / "tickets.jsonl", [row])
    (built,) = build_dataset(tmp_path / "out", path, type="zendesk").rows("train")
    assert built == {
        "id": "zendesk/17",
        "messages": [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": "Is vol. 3 in?"},
            {"role": "assistant", "content": "It's in!"},
        ],
        "meta": {
            "source": {"name": "zendesk", "file": "tickets.jsonl", "line": 1},
            "group": built["meta"]["group"],
            "origin": "ticket",
            "language": None,
            "fields": {"tags": ["stock"]},
            "labels": [],
            "notes_removed": 1,
            "cut": [{"role": "user", "content": "Thanks"}],
            "pii": {},
            "topic": None,
            "difficulty": "easy",
            "sentiment": "neutral",
            "cluster": None,
            "quality": None,
        },
    }


BAD = [
    (b'{"messages": [', "broken_json"),
    (b"\xff\xfe", "invalid_utf8"),
    (b'{"a": "' + b"x" * 5_000_000 + b'"}', "line_too_long"),
    (b"\xff" * 2_000_000, "line_too_long"),
    (b"[1, 2]", "not_an_object"),
    (b'{"messages": [], "id": "\\ud800"}', "bad_unicode"),
    ({"id": 1}, "no_messages"),
    ({"messages": []}, "no_messages"),
    ({"messages": "hello"}, "no_messages"),
    ({"messages": ["hello"]}, "bad_message"),
    ({"messages": [{"role": "bot", "content": "Hi"}, {"role": "assistant", "content": "Hi"}]}, "bad_role"),
    (chat("Hi", " \u200b\n"), "empty_content"),
    (chat("Hi", "<p></p>"), "empty_content"),
    (chat("Hi"), "no_assistant_turn"),
    ({"messages": [{"role": "assistant", "content": "Hi"}]}, "no_user_turn"),
]


def test_a_bad_row_is_kept_as_it_came_with_the_reason(tmp_path: Path) -> None:
    rows = [row for bad, _ in BAD for row in (bad, chat(f"About {len(str(bad))}", f"{bad!r:.60}"))]
    path = write_lines(tmp_path / "in.jsonl", rows)
    dataset = build_dataset(tmp_path / "out", path)
    assert dataset.reasons == [reason for _, reason in BAD]
    assert [row["line"] for row in dataset.rejected] == list(range(1, 2 * len(BAD), 2))
    assert len(dataset.rows("train")) == len(BAD)
    assert all("raw" not in row and "raw_base64" not in row for row in dataset.rejected)
    assert (dataset.path.parent / "out.defects.jsonl").stat().st_mode & 0o777 == 0o600
    for row, line in zip(dataset.raw_defects, path.read_bytes().splitlines()[::2], strict=True):
        raw = base64.b64decode(row["raw_base64"]) if "raw_base64" in row else row["raw"].encode()
        assert raw == line.strip()
        assert row["file"] == "in.jsonl"
        assert row["detail"]


def test_the_counts_of_the_manifest_are_those_of_the_files(tmp_path: Path) -> None:
    rows = [*dialogues(60), *dialogues(5), b"{", chat("Hi", "Hello", "Bye")]
    split = {"train": 0.6, "val": 0.2, "test": 0.2}
    dataset = build_dataset(tmp_path / "out", write_lines(tmp_path / "in.jsonl", rows), split=split)
    counts = dataset.manifest.counts
    assert counts["rows_read"] == 67
    assert counts["rejected"] == {"defect": {"broken_json": 1}, "level1": {"duplicate": 5}}
    assert counts["rows"] == {name: len(dataset.rows(name)) for name in ("train", "val", "test")}
    assert sum(counts["rows"].values()) == 61
    assert counts["assistant_turns"] == counts["rows"]
    assert counts["turns_cut"] == 1
    assert verify(dataset.path) == []


def test_no_line_is_lost_and_none_stops_the_run(tmp_path: Path) -> None:
    rng = random.Random(7)
    good = json.dumps(chat("Hi", "Hello")).encode()
    lines = []
    for _ in range(3000):
        line = bytearray(good if rng.random() < 0.8 else rng.randbytes(rng.randrange(60)))
        for _ in range(rng.randrange(3)):
            line[rng.randrange(len(line) + 1) :][:1] = b""
            line.insert(rng.randrange(len(line) + 1), rng.choice(b'{}[]",:\\\x00\xff u1e9-') if line else 0)
        lines.append(bytes(line).replace(b"\n", b" "))
    dataset = build_dataset(tmp_path / "out", write_lines(tmp_path / "in.jsonl", lines))
    numbers = [row["line"] for row in dataset.rejected]
    numbers += [row["meta"]["source"]["line"] for row in dataset.kept]
    assert sorted(numbers) == [number for number, line in enumerate(lines, 1) if line.strip()]
    assert set(dataset.reasons) >= {"broken_json", "invalid_utf8", "duplicate"}


def test_the_rest_of_a_corrupt_gzip_is_rejected_and_the_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = [chat(f"Hi {random.Random(n).random()}", "Hello") for n in range(500)]
    write_lines(tmp_path / "in" / "plain.jsonl", noise)
    cut = gzip.compress((tmp_path / "in" / "plain.jsonl").read_bytes())[:-4000]
    (tmp_path / "in" / "cut.jsonl.gz").write_bytes(cut)
    write_lines(tmp_path / "in" / "plain.jsonl", dialogues(3))
    dataset = build_dataset(tmp_path / "out", tmp_path / "in")
    assert dataset.reasons == ["corrupt_gzip"]
    kept = [row["meta"]["source"] for row in dataset.rows("train")]
    assert [row["line"] for row in kept if row["file"] == "plain.jsonl"] == [1, 2, 3]
    assert dataset.rejected[0]["line"] == len(kept) - 3 + 1
    assert "1 of the files could not be read to the end" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["tickets.jsonl", "tickets.jsonl.gz", "lines.json", "list.json", "pages.json.gz"]
)
def test_zendesk_tickets_come_in_many_wrappings(tmp_path: Path, name: str) -> None:
    tickets = [ticket(n, f"Question {n}", f"Answer {n}") for n in range(3)]
    if name.endswith(("jsonl", "jsonl.gz", "lines.json")):
        data = "\n".join(map(json.dumps, tickets))
    else:
        data = json.dumps({"tickets": tickets, "next_page": None} if "pages" in name else tickets, indent=1)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data.encode()) if name.endswith(".gz") else data.encode())
    rows = build_dataset(tmp_path / "out", path, type="zendesk").rows("train")
    assert [row["id"] for row in rows] == ["zendesk/0", "zendesk/1", "zendesk/2"]


def test_japanese_comes_out_as_it_went_in(tmp_path: Path) -> None:
    texts = ["『進撃の巨人』第34巻は在庫がありますか？", "はい、ございます！（残り2点）"]
    dataset = build_dataset(tmp_path / "out", write_lines(tmp_path / "in.jsonl", [chat(*texts)]))
    assert [message["content"] for message in dataset.rows("train")[0]["messages"][1:]] == texts
    assert texts[0] in (dataset.path / "train.jsonl").read_text()


def test_rows_that_differ_only_in_form_are_duplicates(tmp_path: Path) -> None:
    own_prompt = {"role": "system", "content": "Other"}
    rows = [
        chat("Where is it?", "On its way."),
        chat("Where&nbsp;is  it?", "<p>On its way.</p>", "Thanks"),
        {"messages": [own_prompt, *chat("Where is it?", "On its way.")["messages"]]},
        chat("Where is it?", "On its way!"),
    ]
    dataset = build_dataset(tmp_path / "out", write_lines(tmp_path / "in.jsonl", rows))
    assert [row["id"] for row in dataset.rows("train")] == ["chat/in.jsonl:1", "chat/in.jsonl:4"]
    assert [(row["reason"], row["line"]) for row in dataset.rejected] == [("duplicate", 2), ("duplicate", 3)]
    assert dataset.rejected[0]["detail"] == "says the same as chat/in.jsonl:1"


def test_holdouts_are_cleaned_and_kept_out(tmp_path: Path) -> None:
    held = write_lines(tmp_path / "held.jsonl", [ticket(1, "Old <b>case</b>", "Solved", requester=5), b"{"])
    tickets = [ticket(n, f"Question {n}", "Answer", requester=n) for n in range(2, 10)]
    ours = write_lines(tmp_path / "in.jsonl", [ticket(11, "Old case", "Solved"), *tickets])
    dataset = build_dataset(
        tmp_path / "out", ours, type="zendesk", holdouts={"unseen": {"type": "zendesk", "path": held}}
    )
    assert [row["messages"][1]["content"] for row in dataset.rows("unseen")] == ["Old case"]
    assert sorted(dataset.reasons) == ["broken_json", "in_holdout"]
    assert [row["id"] for row in dataset.rows("test")] == ["zendesk/5"]
    assert len(dataset.rows("train")) == 7
    assert dataset.manifest.counts["moved_to_test"] == 1


def test_all_tickets_of_a_customer_are_in_one_split(tmp_path: Path) -> None:
    tickets = [ticket(n, f"Question {n}", "Answer", requester=1 + n % 40) for n in range(200)]
    split = {"train": 0.5, "val": 0.25, "test": 0.25}
    path = write_lines(tmp_path / "in.jsonl", tickets)
    dataset = build_dataset(tmp_path / "out", path, type="zendesk", split=split)
    customers = {
        name: {int(row["id"].removeprefix("zendesk/")) % 40 for row in dataset.rows(name)} for name in split
    }
    assert all(customers.values())
    assert sum(map(len, customers.values())) == 40


def test_too_many_defects_fail_the_run_and_are_kept(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [*dialogues(6), *dialogues(6), b"{", b"{", b"[]"])
    with pytest.raises(UserError) as error:
        build_dataset(tmp_path / "out", path, max_rejected_share=0.19)
    assert error.value.exit_code == 1
    assert "3 of 15 rows (20.0%) have a defect: broken_json 2, not_an_object 1" in str(error.value)
    assert f"{tmp_path}/out.defects.jsonl" in str(error.value)
    assert not (tmp_path / "out").exists()
    kept = read_lines(tmp_path / "out.defects.jsonl")
    assert [row["reason"] for row in kept] == ["broken_json", "broken_json", "not_an_object"]

    assert len(build_dataset(tmp_path / "out", path, max_rejected_share=0.2).rejected) == 9
    write_lines(path, dialogues(6))
    build_dataset(tmp_path / "out", path)
    assert not (tmp_path / "out.defects.jsonl").exists()


@pytest.mark.parametrize(
    ("rows", "told"), [([], "hold no rows"), ([b"{"], r"1 of 1 rows \(100.0%\) have a defect")]
)
def test_nothing_to_train_on_fails_the_run(tmp_path: Path, rows: list[bytes], told: str) -> None:
    with pytest.raises(UserError, match=told):
        build_dataset(tmp_path / "out", write_lines(tmp_path / "in.jsonl", rows))


def test_a_second_run_does_nothing_and_another_config_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_lines(tmp_path / "in.jsonl", dialogues(3))
    first = build_dataset(tmp_path / "out", path).manifest
    capsys.readouterr()
    assert build_dataset(tmp_path / "out", path, executor={"type": "local", "workers": 2}).manifest == first
    assert capsys.readouterr().out == f"{tmp_path}/out is up to date\n"
    assert build_dataset(tmp_path / "out", path, system_prompt="Other").manifest != first
    assert list((tmp_path / ".work").iterdir()) == [tmp_path / ".work" / "out.lock"]


def test_no_text_of_a_ticket_is_printed_or_logged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [
        chat("my secret", "your secret"),
        b'{"secret',
        chat("secret", ""),
        chat("my secret", "your secret"),
    ]
    with pytest.raises(UserError):
        build_dataset(tmp_path / "out", write_lines(tmp_path / "in.jsonl", rows), max_rejected_share=0)
    logs = [file for file in (tmp_path / ".work").rglob("*") if file.suffix == ".log"]
    assert logs
    assert not any("secret" in file.read_text() for file in logs)
    captured = capfd.readouterr()
    assert "secret" not in captured.out + captured.err
    assert captured.err == ""


CRASH = """
import sys
from common.command import run
from data_pipeline.build import build
from data_pipeline.config import BuildConfig
from data_pipeline.engine import run_stage
from data_pipeline.steps import normalise_whitespace
normalise_whitespace._SPACES = None
run(build, BuildConfig, "", sys.argv[1:])
"""


def test_not_even_a_crash_logs_text_of_a_ticket(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [chat("my secret", "your secret")])
    config = {"output": str(tmp_path / "out"), "system_prompt": "p", "sources": [source(path)]} | NO_LEVELS
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    crash = [sys.executable, "-c", CRASH, str(tmp_path / "c.yaml")]
    told = subprocess.run(crash, capture_output=True, text=True)
    (log,) = (tmp_path / ".work").rglob("*.log")
    assert "AttributeError" in told.stderr
    assert "AttributeError" in log.read_text()
    assert "secret" not in told.stdout + told.stderr + log.read_text()


def source(path: Path) -> dict[str, str]:
    return {"type": "chat", "path": str(path)}


def test_a_dry_run_says_what_it_would_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lines(tmp_path / "in.jsonl", dialogues(3))
    values = {"output": tmp_path / "out", "system_prompt": "p", "sources": [source(path)]}
    build(BuildConfig.model_validate(values), Options(dry_run=True))
    shown = capsys.readouterr().out
    assert str(path) in shown
    assert str(path.stat().st_size) in shown
    assert "split_seed: 42" in shown
    assert "a stage, for 1 files" in shown
    assert not (tmp_path / "out").exists()
