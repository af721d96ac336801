"""The command on files: what is written, refused, held out and split."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from alignment.pairs.__main__ import build
from alignment.pairs.build import CHOICES
from alignment.pairs.config import PairsConfig
from common.artifacts import read_manifest, verify
from common.command import Options
from common.config import load
from common.errors import ConfigError, UserError
from tests.sft.small_runs import write_dataset

ROOT = Path(__file__).resolve().parents[3]
GOODS = ("comic", "figure", "poster", "puzzle", "plush toy", "calendar", "sticker sheet", "art book")


def row(number: int, asked: str | None = None, **changes: Any) -> dict[str, Any]:
    thing = GOODS[number % len(GOODS)]
    asked = (
        asked or f"My {thing} number {number} came with a torn corner, and {thing}s cost so much. What now?"
    )
    return {
        "prompt": asked,
        "chosen": f"Send us a picture of it, please. {number}",
        "rejected": "Bad luck.",
    } | changes


def config(folder: Path, rows: list[Any], **changes: Any) -> PairsConfig:
    path = folder / "pairs.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in rows))
    settings = {"output": folder / "out", "sources": [{"path": path}], "pii": None, "max_rejected_share": 1.0}
    return PairsConfig.model_validate(settings | changes)


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "out" / f"{name}.jsonl").read_text().splitlines()]


def test_pairs_are_written_whole_and_split_by_their_prompts(tmp_path: Path) -> None:
    rows = [row(n // 2, chosen=f"Answer {n}") for n in range(80)]
    build(config(tmp_path, rows, val_share=0.25, system_prompt="You help."), Options())
    parts = {name: lines(tmp_path, name) for name in ("train", "val")}
    assert sum(map(len, parts.values())) == 80 and 10 <= len(parts["val"]) <= 30
    asked = {name: {line["prompt"][-1]["content"] for line in part} for name, part in parts.items()}
    assert not asked["train"] & asked["val"], "both pairs of a prompt are in one part"
    first = parts["train"][0]
    assert first["prompt"][0] == {"role": "system", "content": "You help."}
    assert first["chosen"][0]["role"] == first["rejected"][0]["role"] == "assistant"
    assert first["meta"]["source"] == {"name": "pairs", "file": "pairs.jsonl", "line": 1}
    assert read_manifest(tmp_path / "out").kind == "pairs" and verify(tmp_path / "out") == []


def test_every_row_is_in_a_part_or_refused_with_its_reason(tmp_path: Path) -> None:
    answered = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    rows = [
        *(row(n) for n in range(10)),
        row(10, chosen="Bad luck!"),
        {"id": "half", "prompt": "Hi", "chosen": "a"},
        {"prompt": answered, "chosen": "c", "rejected": "d"},
        "{not json",
        row(3),
    ]
    settings = config(tmp_path, rows)
    build(settings, Options())
    refused = {line["id"]: line["reason"] for line in lines(tmp_path, "rejected")}
    assert refused == {
        "pairs/11": "equal_sides",
        "pairs/half": "no_rejected",
        "pairs/13": "prompt_ends_with_assistant",
        "pairs/14": "not_json",
        "pairs/15": "repeated",
    }
    counts = read_manifest(tmp_path / "out").counts
    assert counts["read"] == 15 == sum(counts["pairs"].values()) + sum(counts["refused"].values())
    with pytest.raises(UserError, match=r"27% of the rows have a defect, more than max_rejected_share=0\.2"):
        build(
            settings.model_copy(update={"max_rejected_share": 0.2, "output": tmp_path / "other"}), Options()
        )


def test_what_is_tested_or_held_out_is_not_trained_on(tmp_path: Path) -> None:
    tested = row(3)["prompt"].replace("What now?", "what now??")
    conversation = [{"role": "user", "content": tested}, {"role": "assistant", "content": "One moment."}]
    split = [{"id": "t", "messages": conversation, "meta": {}}]
    dataset = write_dataset(tmp_path / "dataset", {"train": split, "val": [], "test": split})
    holdout = tmp_path / "unseen.jsonl.gz"
    with gzip.open(holdout, "wt") as file:
        file.write(json.dumps(row(5)) + "\n")
    settings = config(
        tmp_path, [row(n) for n in range(10)], dataset=dataset, holdouts={"unseen": {"path": holdout}}
    )
    build(settings, Options())
    refused = {line["id"]: line["reason"] for line in lines(tmp_path, "rejected")}
    assert refused == {"pairs/4": "near_test", "pairs/6": "near_holdout"}
    assert [line["prompt"][0]["content"] for line in lines(tmp_path, "unseen")] == [row(5)["prompt"]]


def test_lengths_are_matched_on_request(tmp_path: Path) -> None:
    rows = [row(n, chosen="Yes" if n < 10 else f"A long answer, number {n}") for n in range(40)]
    build(config(tmp_path, rows, match_lengths=True), Options())
    counts = read_manifest(tmp_path / "out").counts
    assert counts["refused"] == {"match_lengths": 20}
    assert counts["length_bias"]["train"]["longer"] == 0.5


def test_personal_data_is_taken_out_of_prompt_and_sides(tmp_path: Path) -> None:
    asked = "I am Jonathan Miller and my mail is jo.miller@example.com, where is my parcel?"
    rows = [row(1, asked, chosen="We have written to jo.miller@example.com.", rejected="No idea, Jonathan.")]
    build(config(tmp_path, rows, pii={}, val_share=0.0001), Options())
    text = (tmp_path / "out" / "train.jsonl").read_text()
    assert "jo.miller" not in text and "Jonathan" not in text
    (line,) = lines(tmp_path, "train")
    assert line["chosen"][0]["content"] == "We have written to [EMAIL]."
    assert line["meta"]["pii"]["EMAIL_ADDRESS"] == 2


def test_a_second_run_has_nothing_to_do_and_a_dry_one_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = config(tmp_path, [row(n) for n in range(5)])
    build(settings, Options(dry_run=True))
    assert not settings.output.exists()
    build(settings, Options())
    capsys.readouterr()
    build(settings, Options())
    assert "is up to date" in capsys.readouterr().out


def test_nothing_of_a_customer_is_on_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(config(tmp_path, [row(n) for n in range(5)] + ["{broken"]), Options())
    shown = capsys.readouterr().out
    assert "torn corner" not in shown and "not_json" in shown


def test_names_of_sources_and_holdouts_are_their_own(tmp_path: Path) -> None:
    path = str(tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").write_text("")
    for changes, message in (
        ({"sources": [{"path": path}, {"path": path}]}, "sources of one name: a"),
        ({"holdouts": {"train": {"path": path}}}, "'train' is taken"),
    ):
        with pytest.raises(ValueError, match=message):
            PairsConfig.model_validate({"output": tmp_path / "out", "sources": [{"path": path}]} | changes)


def test_the_document_has_every_reason() -> None:
    document = (ROOT / "docs/alignment.md").read_text()
    faults = ("not_json", "not_an_object", "no_prompt", "no_chosen", "no_rejected", "prompt_mismatch")
    faults += ("empty_chosen", "empty_rejected", "prompt_ends_with_assistant")
    for reason in (*faults, "equal_sides", "contradicts_earlier", *CHOICES):
        assert f"`{reason}`" in document, reason


def test_a_wrong_key_has_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("output: x\nsources: [{path: y}]\nmatch_length: true\n")
    with pytest.raises(ConfigError, match="Did you mean 'match_lengths'"):
        load(PairsConfig, tmp_path / "bad.yaml", check_paths=False)


@pytest.mark.public_data
def test_length_alone_tells_as_much_of_hh_rlhf_as_is_known(
    tmp_path: Path, public_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = {"path": public_data / "hh_rlhf/harmless_sample.jsonl.gz"}
    build(config(tmp_path, [], sources=[file]), Options())
    counts = read_manifest(tmp_path / "out").counts
    assert counts["read"] == 1800 and counts["pairs"]["train"] + counts["pairs"]["val"] > 1750
    assert counts["length_bias"]["train"]["rule"] == pytest.approx(0.56, abs=0.005)
    assert "'prefer the shorter' is right in 56% of the pairs" in capsys.readouterr().out
