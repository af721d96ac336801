import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.errors import UserError
from data_pipeline.inputs import input_hashes
from data_pipeline.shards import shards
from data_pipeline.sources import hub
from tests.data_pipeline.building import chat
from tests.data_pipeline.sources.reading import inputs, read, settings, write

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def write_repository(folder: Path) -> Path:
    rows = [chat(f"Question {n}", f"Answer {n}", id=f"r{n}", topic="x") for n in range(3)]
    write(folder / "train.jsonl", "\n".join(map(json.dumps, rows)))
    write(folder / "test.jsonl", json.dumps(chat("Held", "Out")))
    return folder


def test_a_folder_is_read_as_it_lies_in_a_repository(tmp_path: Path) -> None:
    folder = write_repository(tmp_path / "support")
    found = read(tmp_path, type="huggingface", dataset=str(folder), origin="synthetic", name="hf")
    assert [document.id for document in found.documents] == ["hf/r0", "hf/r1", "hf/r2"]
    assert found.turns[0] == [("user", "Question 0"), ("assistant", "Answer 0")]
    metadata = found.documents[2].metadata
    assert (metadata["file"], metadata["line"], metadata["origin"]) == ("support/train", 3, "synthetic")
    assert metadata["fields"] == {"topic": "x"}
    found = read(tmp_path, type="huggingface", dataset=str(folder), split="test")
    assert found.turns == [[("user", "Held"), ("assistant", "Out")]]


def test_columns_may_have_any_names_and_rows_be_turns(tmp_path: Path) -> None:
    table = {"c": ["1", "1", "2"], "w": ["user", "agent", "user"], "t": ["Hi", "Hello", "Bye"]}
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table(table), tmp_path / "data" / "train-00000-of-00001.parquet")
    columns = {"conversation": "c", "role": "w", "text": "t"}
    found = read(tmp_path, type="huggingface", dataset=str(tmp_path / "data"), columns=columns)
    assert found.turns == [[("user", "Hi"), ("assistant", "Hello")], [("user", "Bye")]]


@pytest.mark.parametrize("several", [True, False])
def test_what_save_to_disk_has_written_is_read(tmp_path: Path, several: bool) -> None:
    from datasets import Dataset, DatasetDict

    rows = Dataset.from_dict({"q": ["One?", "Two?"], "a": ["1", "2"]})
    saved = DatasetDict({"train": rows, "test": rows.select([0])}) if several else rows
    saved.save_to_disk(tmp_path / "saved")
    columns = {"question": "q", "answer": "a"}
    found = read(tmp_path, type="huggingface", dataset=str(tmp_path / "saved"), columns=columns)
    assert [turns[0][1] for turns in found.turns] == ["One?", "Two?"]


def test_a_damaged_file_costs_its_rest(tmp_path: Path) -> None:
    folder = tmp_path / "support"
    write(folder / "train.jsonl", json.dumps(chat("Hi", "Hello")) + "\n{broken\n")
    found = read(tmp_path, type="huggingface", dataset=str(folder))
    assert found.reasons == ["unreadable_dataset"]
    assert found.files_cut_short == 1


def test_a_split_that_is_not_there_is_told(tmp_path: Path) -> None:
    folder = write_repository(tmp_path / "support")
    with pytest.raises(UserError, match="can't open the data set") as error:
        read(tmp_path, type="huggingface", dataset=str(folder), split="validation")
    assert "check dataset, subset, split and revision" in str(error.value)


def test_the_commit_is_asked_of_the_hub_once_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def dataset_info(self: object, name: str, revision: str) -> SimpleNamespace:
        asked.append((name, revision))
        return SimpleNamespace(sha=COMMIT)

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", dataset_info)
    files = inputs(type="huggingface", dataset="owner/name", split="test", revision="v1")
    assert asked == [("owner/name", "v1")]
    (file,) = files
    assert (file.name, file.revision, file.bytes) == ("owner/name/test", COMMIT, 0)

    loaded: dict[str, Any] = {}

    def load_dataset(path: str, subset: str | None, **options: Any) -> list[dict[str, Any]]:
        loaded.update(options, path=path, subset=subset)
        return [chat("Hi", "Hello")]

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    assert list(hub._open(file.settings, file.revision)) == [chat("Hi", "Hello")]  # type: ignore[arg-type]
    assert loaded == {
        "path": "owner/name",
        "subset": None,
        "split": "test",
        "revision": COMMIT,
        "streaming": True,
    }


def test_a_commit_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", None)
    assert hub.commit(settings(type="huggingface", dataset="owner/name", revision=COMMIT)) == COMMIT


def test_without_a_way_to_the_hub_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import OfflineModeIsEnabled

    def dataset_info(*_: object, **__: object) -> None:
        raise OfflineModeIsEnabled("offline")

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", dataset_info)
    with pytest.raises(UserError, match="can't open the data set 'owner/name': offline"):
        inputs(type="huggingface", dataset="owner/name")


def test_the_hash_is_that_of_the_commit_and_a_data_set_is_a_task(tmp_path: Path) -> None:
    def of(revision: str) -> dict[str, str]:
        return input_hashes(inputs(type="huggingface", dataset="owner/name", revision=revision))

    assert of(COMMIT) == of(COMMIT)
    assert of(COMMIT) != of(COMMIT.replace("0", "1"))
    folder = write_repository(tmp_path / "support")
    local = inputs(type="huggingface", dataset=str(folder))
    before = input_hashes(local)
    write(folder / "train.jsonl", json.dumps(chat("Other", "Rows")))
    assert input_hashes(local) != before
    small = inputs(type="chat", path=folder / "train.jsonl")
    remote = inputs(type="huggingface", dataset="owner/name", revision=COMMIT)
    assert [len(shard) for shard in shards([*small, *small, *remote, *small])] == [2, 1, 1]


def test_a_lost_connection_is_no_defect_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> Any:
        yield chat("Hi", "Hello")
        raise ConnectionError("lost")

    monkeypatch.setattr(hub, "_open", lambda source, revision: rows())
    with pytest.raises(ConnectionError):
        read(tmp_path, type="huggingface", dataset="owner/name", revision=COMMIT)
