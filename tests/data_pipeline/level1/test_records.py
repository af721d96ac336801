from pathlib import Path

import numpy as np
import pytest
from datatrove.data import Document

from data_pipeline.level1 import records as module
from data_pipeline.level1.records import FOLDER, Records, RecordWriter
from data_pipeline.steps.write_signatures import WriteSignatures
from tests.data_pipeline.level1.rows import messages

ROWS = [("Where is it?", "On its way."), ("何ですか", "本です"), ("", ""), ("a" * 300, "b")]


def write(work: Path, rank: int = 0) -> list[Document]:
    documents = [Document(text="", id=f"{rank}", metadata={"messages": messages(*row)}) for row in ROWS]
    assert list(WriteSignatures(work).run(iter(documents), rank)) == documents
    return documents


def files(work: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((work / FOLDER).iterdir())}


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, 1)
    records = Records(tmp_path, 2)
    assert len(records) == 8
    read = [tuple(side.text for side in records.sides(row)) for row in range(8)]
    assert read == [("where is it", "on its way"), ("何ですか", "本です"), ("", ""), ("a" * 300, "b")] * 2
    assert records.shingles.tolist() == [18, 11, 1, 296] * 2  # of both sides where the customer says little
    np.testing.assert_array_equal(records.signatures[:4], records.signatures[4:])
    assert len(np.unique(records.identities, axis=0)) == 4


def test_batches_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "one")
    monkeypatch.setattr(module, "_BATCH", 3)
    write(tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert list(files(tmp_path / "one")) == ["00000.records", "00000.txt"]


def test_texts_are_read_again_when_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(module, "_KEPT_BYTES", 1)
    records = Records(tmp_path, 1)
    for row in (0, 1, 0, 3, 1):
        assert records.sides(row).user.text == ("where is it", "何ですか", "", "a" * 300)[row]


def test_an_interrupted_task_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), RecordWriter(tmp_path, 0) as records:
        records.add(messages("hello"))
        raise KeyError
    assert files(tmp_path) == {}


def test_no_rows(tmp_path: Path) -> None:
    with RecordWriter(tmp_path, 0):
        pass
    assert len(Records(tmp_path, 1)) == 0
