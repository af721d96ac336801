from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline import shards as module
from data_pipeline.inputs import InputFile
from data_pipeline.rows import RowBuffer, read_rows
from data_pipeline.shards import shards
from tests.data_pipeline.sources.reading import inputs, settings


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALLEST", 6)


def write(folder: Path, *contents: bytes, suffix: str = ".jsonl") -> list[InputFile]:
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(contents):
        (folder / f"{number}{suffix}").write_bytes(content)
    return inputs(type="chat", path=folder)


@pytest.mark.usefixtures("small")
def test_small_neighbours_share_a_task(tmp_path: Path) -> None:
    files = write(tmp_path / "in", *[b"{}\n\n"] * 5)
    parts = shards(files)
    assert [len(shard) for shard in parts] == [2, 2, 1]
    assert [file for shard in parts for file in shard] == files
    assert shards([]) == []


@pytest.mark.usefixtures("small")
def test_a_large_file_of_lines_is_cut_between_lines(tmp_path: Path) -> None:
    [file] = write(tmp_path / "in", b"{1}\n{22}\n{333}\n{4444}\n")
    parts = [part.lines for shard in shards([file]) for part in shard]
    assert [(part.start, part.end, part.line) for part in parts if part] == [
        (0, 9, 1),
        (9, 15, 3),
        (15, 22, 4),
    ]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("suffix", [".json", ".jsonl.gz"])
def test_other_files_stay_whole(tmp_path: Path, suffix: str) -> None:
    files = write(tmp_path / "in", b"{}\n" * 9, suffix=suffix)
    assert shards(files) == [files]


@pytest.mark.usefixtures("small")
def test_turns_that_are_joined_stay_together(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_bytes(b"{}\n" * 9)
    columns: dict[str, Any] = {"conversation": "id", "role": "who", "text": "said"}
    files = inputs(type="table", path=path, columns=columns)
    assert shards(files) == [files]
    pairs = inputs(type="table", path=path, columns={"question": "q", "answer": "a"})
    assert len(shards(pairs)) == 4


def test_there_are_about_128_tasks_of_one_to_32_megabytes(tmp_path: Path) -> None:
    def tasks(*sizes: int) -> int:
        files = [Sized(tmp_path / f"{n}.json", str(n), settings_, size=s) for n, s in enumerate(sizes)]
        return len(shards(files))

    settings_ = settings(type="chat", path=write(tmp_path / "in", b"{}")[0].path)
    assert tasks(*[100_000] * 30) == 3
    assert tasks(*[1_000_000] * 512) == 128
    assert tasks(*[32_000_000] * 512) == 512


class Sized(InputFile):
    """An input that says its size."""

    def __init__(self, path: Path, name: str, source: Any, size: int) -> None:
        super().__init__(path, name, source)
        object.__setattr__(self, "size", size)

    @property
    def bytes(self) -> int:
        size: int = object.__getattribute__(self, "size")
        return size


LINES = st.lists(st.binary(max_size=12), max_size=12).map(b"\n".join)


@given(content=LINES, pieces=st.integers(1, 9), marked=st.booleans())
def test_parts_have_the_rows_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, pieces: int, marked: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.jsonl"
    path.write_bytes((b"\xef\xbb\xbf" if marked else b"") + content)
    size = path.stat().st_size
    parts = list(module._lines(path, size, pieces))
    assert [part.start for part in parts] == [0, *(part.end for part in parts[:-1])][: len(parts)]
    assert not parts or parts[-1].end == size
    found = [row for part in parts for row in read_rows(path, RowBuffer(1000, path.parent), lines=part)]
    assert found == list(read_rows(path, RowBuffer(1000, path.parent)))


def test_what_a_part_is_called_does_not_tell_where_it_was_cut(tmp_path: Path) -> None:
    [file] = write(tmp_path / "in", b"{}\n" * 400_000)
    cut = [part for shard in shards([file]) for part in shard]
    assert len(cut) == 2
    assert [replace(part, lines=None) for part in cut] == [file, file]
