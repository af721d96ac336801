import gzip
import json
import random
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline import rows
from data_pipeline.rows import RawRow, RowBuffer, UnreadableRest, read_rows


def read(path: Path, max_bytes: int = 1000) -> list[RawRow]:
    return list(read_rows(path, RowBuffer(max_bytes, path.parent / "spool")))


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_row_is_a_line_and_knows_its_number(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"b"\n\xff')
    assert read(path) == [RawRow(1, b'{"a": 1}'), RawRow(4, b'{"b"'), RawRow(5, b"\xff")]


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line)), st.integers(1, 50))
def test_no_line_is_lost_wherever_chunks_end(lines: list[bytes], chunk: int) -> None:
    buffer = RowBuffer(1000, Path("unused"))
    data = b"\n".join(lines)
    chunks = (data[start : start + chunk] for start in range(0, len(data), chunk))
    found = [row.data for row in rows._lines(chunks, buffer)]
    assert found == [line.strip() for line in lines if line.strip()]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=6), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_a_document_is_cut_into_the_elements_of_its_list(
    elements: list[object], chunk: int, indent: int | None, wrapped: bool
) -> None:
    document = {"count": 2, "tickets": elements, "next_page": None} if wrapped else elements
    data = json.dumps(document, indent=indent).encode()
    start = rows._rows_start(data)
    assert start is not None
    chunks = (data[at : at + chunk] for at in range(start, len(data), chunk))
    found = rows._elements(chunks, RowBuffer(10_000, Path("unused")), data[:start])
    assert [json.loads(row.data) for row in found if isinstance(row.data, bytes)] == elements


@pytest.mark.parametrize("chunk", range(1, 12))
def test_escapes_may_lie_across_chunks(chunk: int) -> None:
    data = rb'["a\\", "\"],", "\\\""]'
    chunks = (data[at : at + chunk] for at in range(1, len(data), chunk))
    found = rows._elements(chunks, RowBuffer(1000, Path("unused")), b"[")
    assert [row.data for row in found] == [rb'"a\\"', rb'"\"],"', rb'"\\\""']


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"id": 1}\n{"id": 2}\n', [(1, b'{"id": 1}'), (2, b'{"id": 2}')]),
        (b'{"id": 1}', [(1, b'{"id": 1}')]),
        (b'{\n "id": 1\n}\n', [(1, b'{\n "id": 1\n}')]),
        (b'{"id": 1\n{"id": 2}\n', [(1, b'{"id": 1'), (2, b'{"id": 2}')]),
        (b'[\n {"id": "]"},\n\n {"id": 2}\n]\n', [(2, b'{"id": "]"}'), (4, b'{"id": 2}')]),
        (b'{"tickets": [{"id": 1}], "count": 1}', [(1, b'{"id": 1}')]),
        (b"[]", []),
        (b"", []),
    ],
)
def test_a_json_file_may_hold_lines_or_a_list_or_an_object(
    tmp_path: Path, data: bytes, expected: list[tuple[int, bytes]]
) -> None:
    for name in ("a.json", "a.json.gz"):
        assert [(row.line, row.data) for row in read(write(tmp_path / name, data))] == expected


def test_a_broken_element_does_no_harm_to_its_neighbours(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", b'[{"a": 1}, {"b": oops}, {"c": 3}]')
    assert [row.data for row in read(path)] == [b'{"a": 1}', b'{"b": oops}', b'{"c": 3}']


@pytest.mark.parametrize(
    ("data", "before", "left"),
    [
        (b'[{"a": 1}, {"b": ', [b'{"a": 1}'], b'{"b":'),
        (b'[{"a": 1},', [b'{"a": 1}'], b""),
        (b'{"tickets": [{"a": 1}]}\n{"tickets": [{"a": 2}]}', [b'{"a": 1}'], b']}\n{"tickets": [{"a": 2}]}'),
    ],
)
def test_a_document_that_does_not_end_well_is_told(
    tmp_path: Path, data: bytes, before: list[bytes], left: bytes
) -> None:
    buffer = RowBuffer(1000, tmp_path)
    found = []
    with pytest.raises(UnreadableRest) as error:
        for row in read_rows(write(tmp_path / "a.json", data), buffer):
            found.append(row.data)
    assert (found, error.value.reason) == (before, "broken_json")
    assert [row.data for row in buffer.take()] == ([left] if left else [])


@pytest.mark.parametrize("damage", ["cut", "flipped", "trailing", "no gzip"])
def test_all_lines_before_a_damage_of_the_gzip_come_out(tmp_path: Path, damage: str) -> None:
    lines = [json.dumps({"noise": random.Random(n).random()}).encode() for n in range(2000)]
    data = gzip.compress(b"\n".join(lines))
    data = {
        "cut": data[: len(data) // 2],
        "flipped": data[:-6] + b"\0\0" + data[-4:],
        "trailing": data + b"garbage",
        "no gzip": b"\n".join(lines),
    }[damage]
    (path := tmp_path / "a.jsonl.gz").write_bytes(data)
    found = []
    with pytest.raises(UnreadableRest) as error:
        for row in read_rows(path, RowBuffer(1000, tmp_path)):
            found.append(row.data)
    assert error.value.reason == "corrupt_gzip"
    assert found == lines[: len(found)]
    assert len(found) >= {"cut": 900, "flipped": 0, "trailing": 1999, "no gzip": 0}[damage]


def test_all_that_a_cut_gzip_still_holds_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CHUNK", 100)
    whole = gzip.compress(b"a" * 800_000)
    for length in range(10, len(whole), 3):
        (path := tmp_path / "a.gz").write_bytes(whole[:length])
        out = []
        with pytest.raises(UnreadableRest):
            for data in rows._decompressed(path):
                out.append(data)
        assert b"".join(out) == zlib.decompressobj(wbits=31).decompress(whole[:length])


def test_gzip_files_may_have_several_members(tmp_path: Path) -> None:
    (path := tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"{}\n") + gzip.compress(b"[]\n") + b"\0\0")
    assert [row.data for row in read(path)] == [b"{}", b"[]"]


def test_a_row_longer_than_allowed_lies_on_disk(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b"x" * 11 + b"\n" + b"y" * 10 + b"\n")
    long, short = read(path, max_bytes=10)
    assert isinstance(long.data, Path)
    assert long.data.read_bytes() == b"x" * 11
    assert short == RawRow(2, b"y" * 10)


def test_a_long_row_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", b"x" * 50_000_000)
    tracemalloc.start()
    (row,) = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(row.data, Path)
    assert row.data.stat().st_size == 50_000_000
    assert peak < 5_000_000
