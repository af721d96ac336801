"""What sections of a build's config change in its result, and what is told of them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from common.errors import UserError
from tests.common.chat.small_tokenizers import write_tokenizer
from tests.data_pipeline.building import build_dataset, chat, dialogues, write_lines


def test_lengths_are_counted_in_tokens_where_a_tokenizer_is_given(tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "tokenizer", "tiny")
    rows = [chat("Where is it?", "On its way. " * length) for length in (1, 30)]
    counted = {"tokenizer": str(tmp_path / "tokenizer"), "chat_template": "tiny", "max_length": 60}
    dataset = build_dataset(tmp_path / "out", write_lines(tmp_path / "in.jsonl", rows), audit=counted)
    tokens = pd.read_parquet(dataset.path / "columns.parquet")["tokens"].tolist()
    assert tokens[0] < 60 < tokens[1]
    assert (
        json.loads((dataset.path / "audit.json").read_text())["lengths"]["tokens"]["over_limit"]["count"] == 1
    )


def test_rows_that_no_judge_has_seen_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lines(tmp_path / "in.jsonl", dialogues(3))
    judge = {"url": "http://127.0.0.1:9/v1", "model": "judge", "max_retries": 0, "cache": None}
    dataset = build_dataset(tmp_path / "out", path, level2={"keep_share": None}, judge=judge)
    assert dataset.manifest.counts["unjudged"] == {"no_connection": 3}
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "3 rows were scored without the judge (no_connection 3): with --force these are asked about again"
        in told
    )


def test_names_of_mentions_count_beside_a_table(tmp_path: Path) -> None:
    table = tmp_path / "table.yaml"
    table.write_text("MangaAssist: [manga assist]\n")
    path = write_lines(tmp_path / "in.jsonl", [chat("Hello mngasst", "Hi")])
    for name in ("One", "Two"):
        dataset = build_dataset(
            tmp_path / "out", path, mentions={"table": table, "names": {name: ["mngasst"]}}
        )
        assert dataset.kept[0]["messages"][1]["content"] == f"Hello {name}"


def test_articles_that_cannot_be_read_are_told_first(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", dialogues(3))
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "a.html").write_text("<h1>Returns</h1>")
    with pytest.raises(UserError, match="holds no articles"):
        build_dataset(tmp_path / "out", path, level2={}, knowledge_base=tmp_path / "kb")
    assert not (tmp_path / ".work").exists()


def test_what_has_not_been_scrubbed_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [*dialogues(3), b'{"name": "Jo Field'])
    with pytest.raises(UserError, match="have a defect"):  # and the unfinished work stays
        build_dataset(tmp_path / "out", path, max_rejected_share=0.1)
    [work] = (tmp_path / ".work").glob("out-*")
    [raw] = tmp_path.glob("out.defects.jsonl")
    assert (work.stat().st_mode & 0o777, raw.stat().st_mode & 0o777) == (0o700, 0o600)
