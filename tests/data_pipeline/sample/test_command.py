"""`python -m data_pipeline.sample`: the artifact it writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from common import artifacts
from common.command import Options
from common.config import load
from data_pipeline.sample import frozen
from data_pipeline.sample.__main__ import make_sample
from data_pipeline.sample.config import SampleConfig

ROOT = Path(__file__).resolve().parents[3]
SMALL = {
    "tickets": 40,
    "unseen_tickets": 10,
    "synthetic": 8,
    "preference_pairs": 8,
    "unseen_preference_pairs": 4,
    "train_messages": 30,
    "validation_messages": 10,
    "test_messages": 10,
    "train_guard": 10,
    "validation_guard": 4,
    "test_guard": 4,
}


def small(output: Path, **changes: Any) -> SampleConfig:
    return SampleConfig(output=output, **(SMALL | changes))


def files(folder: Path) -> dict[str, bytes]:
    """Everything but the manifest, which holds the time."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != artifacts.MANIFEST)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_same_config_gives_the_same_bytes(tmp_path: Path) -> None:
    make_sample(small(tmp_path / "one"), Options())
    make_sample(small(tmp_path / "two"), Options())

    assert files(tmp_path / "one") == files(tmp_path / "two")
    hashes = [artifacts.read_manifest(tmp_path / name).content_hash for name in ("one", "two")]
    assert hashes[0] == hashes[1]


def test_artifact_holds_what_the_manifest_counts(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    make_sample(small(folder), Options())

    manifest = artifacts.read_manifest(folder)
    rows = {
        str(path.relative_to(folder).with_suffix("")): path.read_bytes().count(b"\n")
        for path in folder.rglob("*.jsonl")
    }
    generated = {
        "tickets": 40,
        "unseen_tickets": 10,
        "synthetic": 8,
        "preferences": 8,
        "unseen_preferences": 4,
        "messages/train": 30,
        "messages/validation": 10,
        "messages/test": 10,
        "guard/train": 10,
        "guard/validation": 4,
        "guard/test": 4,
    }
    written_by_hand = {"messages/handwritten", "messages/golden", "guard/handwritten", "kb_questions"}
    truths = {f"truth/{name}": count for name, count in generated.items()}
    assert {name: count for name, count in rows.items() if name not in written_by_hand} == generated | truths
    assert {name: manifest.counts[name] for name in (*generated, *written_by_hand)} == {
        name: rows[name] for name in (*generated, *written_by_hand)
    }
    assert manifest.counts["kb"] == len(list((folder / "kb").glob("*.md")))
    assert manifest.seeds == {"seed": 7}


def test_rows_and_truth_have_the_same_ids_in_the_same_order(tmp_path: Path) -> None:
    make_sample(small(tmp_path / "sample"), Options())

    truths = sorted((tmp_path / "sample" / "truth").rglob("*.jsonl"))
    assert len(truths) == 11
    for truth in truths:
        rows = tmp_path / "sample" / truth.relative_to(tmp_path / "sample" / "truth")
        ids = [json.loads(line)["id"] for line in rows.read_text(encoding="utf-8").splitlines()]
        entries = map(json.loads, truth.read_text(encoding="utf-8").splitlines())
        assert ids == [entry.get("ticket_id", entry.get("id")) for entry in entries]


def test_second_run_finds_it_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_sample(small(tmp_path / "sample"), Options())
    capsys.readouterr()
    make_sample(small(tmp_path / "sample"), Options())

    assert "is up to date" in capsys.readouterr().out


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    make_sample(small(tmp_path / "sample"), Options(dry_run=True))

    assert not (tmp_path / "sample").exists()


def test_coinciding_texts_are_told_apart_from_planted_repeats(tmp_path: Path) -> None:
    make_sample(small(tmp_path / "sample", train_messages=1500), Options())

    folder = tmp_path / "sample"
    rows = map(json.loads, (folder / "messages/train.jsonl").read_text(encoding="utf-8").splitlines())
    truths = (folder / "truth/messages/train.jsonl").read_text(encoding="utf-8").splitlines()
    first: dict[str, str] = {}
    coinciding = 0
    for row, truth in zip(rows, map(json.loads, truths), strict=True):
        earlier = first.setdefault(row["text"], row["id"])
        assert truth["same_text_as"] == (earlier if earlier != row["id"] else None)
        coinciding += truth["same_text_as"] is not None and truth["duplicate_of"] is None
    assert coinciding >= 3


@pytest.mark.slow
def test_the_benchmark_is_frozen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails and the change was meant: see data_pipeline/sample/frozen.py."""
    config = load(SampleConfig, ROOT / "configs" / "sample.yaml", [f"output={tmp_path / 'sample'}"])
    make_sample(config, Options())

    assert artifacts.read_manifest(tmp_path / "sample").content_hash == frozen.CONTENT_HASH
    assert f"MangaAssist {frozen.VERSION}" in capsys.readouterr().out
