"""A build with all levels on, over the sample company: the slow tests of what its parts do together."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.artifacts import verify
from common.command import Options
from common.encoder.config import ExportConfig
from data_pipeline.sample.config import SampleConfig
from tests.data_pipeline.building import Dataset, build_dataset, read_lines

pytestmark = pytest.mark.slow

TICKETS = 240
SHARES = {"level2": {"keep_share": 0.4}, "level3": {"sampling": {"keep_share": 0.25}}}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from data_pipeline.sample.__main__ import make_sample

    folder = tmp_path_factory.mktemp("sample") / "company"
    sizes = {name: 4 for name in SampleConfig.model_fields if name.endswith(("messages", "guard", "pairs"))}
    make_sample(
        SampleConfig(output=folder, tickets=TICKETS, unseen_tickets=20, synthetic=4, **sizes), Options()
    )
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from common.encoder.__main__ import export

    folder = tmp_path_factory.mktemp("encoder") / "encoder"
    export(ExportConfig(output=folder), Options())
    return folder


def settings(sample: Path, encoder: Path, **others: Any) -> dict[str, Any]:
    held = {"type": "zendesk", "path": sample / "unseen_tickets.jsonl"}
    return {
        "type": "zendesk",
        "holdouts": {"unseen": held},
        "knowledge_base": sample / "kb",
        "encoder": encoder,
        "split": {"train": 0.8, "val": 0.1, "test": 0.1},
        "pii": {},
        "level1": {},
        **SHARES,
        **others,
    }


@pytest.fixture(scope="module")
def built(sample: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    output = tmp_path_factory.mktemp("built") / "dataset"
    return build_dataset(output, sample / "tickets.jsonl", **settings(sample, encoder))


def test_the_funnel_is_that_of_the_config_and_no_row_is_lost(built: Dataset) -> None:
    counts = built.manifest.counts
    kept = sum(counts["rows"][name] for name in ("train", "val", "test"))
    assert kept == TICKETS * 0.25
    assert counts["rows"]["unseen"] == 20
    assert kept + 20 + len(built.rejected) == counts["rows_read"] == TICKETS + 20
    assert set(counts["rejected"]) == {"level1", "level2", "level3"}
    assert verify(built.path) == []


def test_every_conversation_is_in_the_columns(built: Dataset) -> None:
    frame = pd.read_parquet(built.path / "columns.parquet")
    assert len(frame) == TICKETS + 20
    rejected = frame[frame["outcome"] == "rejected"]
    told = {(row["id"].split("#")[0], row["level"], row["reason"]) for row in built.rejected}
    pairs = zip(rejected["id"], rejected["level"], rejected["reason"], strict=True)
    assert {(name.split("#")[0], level, reason) for name, level, reason in pairs} == told
    assert frame.loc[frame["outcome"] == "train", "score"].notna().all()


def test_planted_personal_data_is_in_no_file_of_the_dataset(built: Dataset, sample: Path) -> None:
    planted = [
        span["text"]
        for name in ("tickets", "unseen_tickets")
        for row in read_lines(sample / "truth" / f"{name}.jsonl")
        for span in row["pii"]
        if span["kind"] in ("email", "phone")
    ]
    written = "".join(path.read_text() for path in sorted(built.path.glob("*.jsonl")))
    assert len(planted) > 20
    found = [text for text in planted if text in written]
    assert len(found) <= 0.03 * len(planted), f"{len(found)} of {len(planted)}"
    assert re.search(r"\[(?:EMAIL|NAME|PHONE)", written)


def test_the_audit_says_what_the_manifest_counts(built: Dataset) -> None:
    audit = json.loads((built.path / "audit.json").read_text())
    assert audit["totals"]["rows_read"] == TICKETS + 20
    assert audit["totals"]["kept"] == TICKETS * 0.25
    assert "Dataset audit" in (built.path / "audit.html").read_text()


def test_the_same_again_has_the_same_hash(
    built: Dataset, sample: Path, encoder: Path, tmp_path: Path
) -> None:
    again = build_dataset(tmp_path / "again", sample / "tickets.jsonl", **settings(sample, encoder))
    assert again.manifest.content_hash == built.manifest.content_hash
