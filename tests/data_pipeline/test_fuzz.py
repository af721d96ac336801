"""Ten thousand damaged records of all types of sources: no crash, none lost, each with its reason."""

import json
from pathlib import Path

import pytest

from data_pipeline.rows import RowBuffer, UnreadableRest
from data_pipeline.sources.reading import read
from tests.data_pipeline.building import build_dataset, chat, write_lines
from tests.data_pipeline.fuzzing import SECRET, damaged_sources
from tests.data_pipeline.sources.reading import inputs


@pytest.mark.slow
def test_damaged_records_stop_nothing_and_none_is_lost(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    damaged = damaged_sources(tmp_path / "in", seed=7, count=10_000)
    assert damaged.records > 10_000
    good = write_lines(tmp_path / "good.jsonl", [chat("Hi", "Hello", id="good")])
    sources = [*damaged.configs, {"type": "chat", "path": good, "name": "good"}]
    dataset = build_dataset(tmp_path / "out", sources=sources)
    damaged.check(dataset)
    assert dataset.rows("train")[-1]["id"] == "good/good"
    assert len(set(dataset.reasons)) > 20
    # The whole of what was rejected for a defect is beside the dataset, and nothing of it was printed.
    assert len(dataset.raw_defects) == sum(row["level"] == "defect" for row in dataset.rejected)
    captured = capfd.readouterr()
    assert SECRET not in captured.out + captured.err


@pytest.mark.parametrize("seed", range(3))
def test_every_line_of_a_damaged_table_is_in_one_of_its_rows(tmp_path: Path, seed: int) -> None:
    damaged = damaged_sources(tmp_path / "in", seed, count=2_000)
    for config in damaged.configs:
        if not str(config.get("path", "")).endswith(".csv"):
            continue
        (file,) = inputs(**config)
        found: list[bytes] = []
        for row in read(file, RowBuffer(100_000, tmp_path)):
            assert isinstance(row.raw.data, bytes)
            found += row.raw.data.split(b"\n")
        _, *lines = file.path.read_bytes().split(b"\n")
        assert sorted(filter(_holds_something, found)) == sorted(filter(_holds_something, lines))


def _holds_something(line: bytes) -> bool:
    return bool(line.strip(b', "\r\0'))


def test_documents_cut_off_anywhere_are_read_up_to_there(tmp_path: Path) -> None:
    rows = [chat(f"Question {n}", "Yes.") for n in range(20)]
    for wrapper in ("%s", '{"count": 1, "tickets": %s, "next": null}'):
        whole = (wrapper % json.dumps(rows)).encode()
        for end in range(0, len(whole), 7):
            path = tmp_path / "cut.json"
            path.write_bytes(whole[:end])
            (file,) = inputs(type="chat", path=path)
            try:
                found = list(read(file, RowBuffer(100_000, tmp_path)))
            except UnreadableRest as error:
                assert error.reason == "broken_json"
            else:
                assert len(found) <= 20
