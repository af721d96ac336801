import csv
import gzip
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.rows import RowBuffer
from data_pipeline.sources.csv_records import read_lines, read_records
from tests.data_pipeline.sources.reading import Found, read, write

PAIRS = {"question": "Question", "answer": "Answer"}


def read_csv(tmp_path: Path, data: bytes | str, name: str = "faq.csv", **values: object) -> Found:
    path = write(tmp_path / name, data)
    return read(tmp_path, type="table", path=path, **({"columns": PAIRS} | values))


def records(
    data: bytes, chunk: int = 1 << 18, max_bytes: int = 1000, delimiter: bytes = b","
) -> list[object]:
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    lines = read_lines(chunks, RowBuffer(max_bytes, Path("unused")))
    return [record.fields or record.error for record in read_records(lines, delimiter, max_bytes)]


def test_columns_are_found_by_name_and_the_others_are_not_read(tmp_path: Path) -> None:
    data = (
        "Id,E-Mail,Answer,Question,Topic,Secret\r\n"
        '7,Mia@Example.org,"Yes, with tax.","Is that ""all""?",prices,hidden\r\n'
    )
    columns = PAIRS | {"id": "Id", "email": "E-Mail", "fields": {"tags": "Topic"}}
    found = read_csv(tmp_path, data, columns=columns, name="faq.csv")
    (document,) = found.documents
    assert found.turns == [[("user", 'Is that "all"?'), ("assistant", "Yes, with tax.")]]
    assert document.id == "table/7"
    assert document.metadata["keys"] == ["email:mia@example.org", "thread:table:7"]
    assert document.metadata["fields"] == {"tags": "prices"}
    assert document.metadata["origin"] == "ticket"
    assert "hidden" not in repr(document.metadata)


def test_a_cell_may_have_several_lines_and_knows_its_first(tmp_path: Path) -> None:
    found = read_csv(tmp_path, 'Question,Answer\n"one\n\ntwo",a\r\n\nb,"c\nd"\n')
    assert found.turns == [
        [("user", "one\n\ntwo"), ("assistant", "a")],
        [("user", "b"), ("assistant", "c\nd")],
    ]
    assert found.lines == [2, 6]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"only one", "ragged_row"),
        (b"a,b,c", "ragged_row"),
        (b'"a"b,c', "broken_csv"),
        (b'"never closed,c', "broken_csv"),
        (b'a,"b', "broken_csv"),
        (b"a,\xff", "invalid_utf8"),
        (b"a," + b"x" * 200_000, "line_too_long"),
        (b'a,"' + b"x" * 200_000 + b'"', "line_too_long"),
    ],
)
def test_a_bad_line_is_one_bad_row(tmp_path: Path, bad: bytes, reason: str) -> None:
    found = read_csv(tmp_path, b"Question,Answer\nq1,a1\n" + bad + b'\nq2,"a2"\nq3,a3\n')
    assert found.rejected == [(3, reason)]
    assert [turns[0][1] for turns in found.turns] == ["q1", "q2", "q3"]
    assert found.lines == [2, 4, 5]


def test_the_rest_of_a_broken_record_is_not_taken_for_a_row(tmp_path: Path) -> None:
    data = 'Question,Answer\n"He said "hi" to\nme",he did\nA 12" single?,yes\n5" or 7",7"\n'
    found = read_csv(tmp_path, data)
    assert found.rejected == [(2, "broken_csv"), (3, "broken_csv"), (4, "broken_csv"), (5, "broken_csv")]
    found = read_csv(tmp_path, data.replace('"He said "hi" to\nme"', "Hi"))
    assert [turns[0][1] for turns in found.turns] == ["Hi", 'A 12" single?', '5" or 7"']


def test_lines_without_anything_in_them_are_no_rows(tmp_path: Path) -> None:
    assert read_csv(tmp_path, "Question,Answer\n\n,\n  , \nq,a\n,,\n").lines == [5]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Question,answer", "'Answer' is not there"),
        ("Question,Answer,Answer", "'Answer' is twice"),
        ('"Question,Answer', "'Question' is not there"),
    ],
)
def test_a_header_without_the_columns_is_told_and_the_file_not_read(
    tmp_path: Path, header: str, told: str
) -> None:
    found = read_csv(tmp_path, f"{header}\nq,a,b\n")
    assert (found.reasons, found.files_cut_short) == (["missing_column"], 1)
    assert told in found.details[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp932", "euc_jp"])
def test_encodings_are_found_by_their_mark_or_told(tmp_path: Path, encoding: str) -> None:
    data = 'Question,Answer\n在庫は？,"はい、\nございます"\n'.encode(encoding)
    told = {} if encoding in ("utf-8-sig", "utf-16", "utf-32") else {"encoding": encoding}
    found = read_csv(tmp_path, data, **told)
    assert found.turns == [[("user", "在庫は？"), ("assistant", "はい、\nございます")]]


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "cp1252", "utf-16-le", "ascii"])
def test_bytes_that_are_no_text_cost_their_own_row_only(tmp_path: Path, encoding: str) -> None:
    broken = {"cp1252": b"\x81", "cp932": b"\x81\xff", "utf-16-le": b"\x00\xd8"}.get(encoding, b"\xfd\xfe")
    data = "Question,Answer\nq1,{}\nq2,a2\n".encode(encoding)
    found = read_csv(tmp_path, data.replace("{}".encode(encoding), broken), encoding=encoding)
    assert found.rejected == [(2, "invalid_utf8")]
    assert [turns[0][1] for turns in found.turns] == ["q2"]


def test_other_delimiters_and_gzip(tmp_path: Path) -> None:
    tsv = gzip.compress(b"Question\tAnswer\nq, with a comma\ta\n")
    assert read_csv(tmp_path, tsv, name="a.tsv.gz").turns == [
        [("user", "q, with a comma"), ("assistant", "a")]
    ]
    found = read_csv(tmp_path, 'Question;Answer\n"q;1";a\n', delimiter=";")
    assert found.turns == [[("user", "q;1"), ("assistant", "a")]]


def test_all_lines_before_a_damage_of_the_gzip_come_out(tmp_path: Path) -> None:
    rows = b"Question,Answer\n" + b"".join(b"question %d,answer\n" % n for n in range(5000))
    found = read_csv(tmp_path, gzip.compress(rows)[:-3000], name="faq.csv.gz")
    assert found.reasons == ["corrupt_gzip"]
    assert found.lines == list(range(2, 2 + len(found.lines)))


CELLS = st.text(st.sampled_from('ab ,;"\n\té日') | st.characters(codec="utf-8", exclude_characters="\r\0"))


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=8), st.integers(1, 40), st.sampled_from(",;\t")
)
@settings(max_examples=200)
def test_what_the_csv_module_writes_is_read_back(table: list[list[str]], chunk: int, delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    found = records(text.getvalue().encode(), chunk, max_bytes=100_000, delimiter=delimiter.encode())
    expected = [row for row in table if any(cell.strip() for cell in row)]
    assert [[field.decode() for field in fields] for fields in found] == expected  # type: ignore[attr-defined]


@given(st.binary(max_size=300) | st.text('ab",\n', max_size=200).map(str.encode), st.integers(1, 50))
@settings(max_examples=300)
def test_every_line_is_in_exactly_one_record(data: bytes, chunk: int) -> None:
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    lines = read_lines(chunks, RowBuffer(1000, Path("unused")))
    numbers: list[int] = []
    for record in read_records(lines, b",", 1000):
        assert isinstance(record.raw.data, bytes)
        numbers += range(record.raw.line, record.raw.line + record.raw.data.count(b"\n") + 1)
    whole = data.split(b"\n")
    assert numbers == sorted(set(numbers))
    silent = set(range(1, len(whole) + 1)) - set(numbers)
    assert all(not whole[number - 1].replace(b",", b"").replace(b'"', b"").strip() for number in silent)


def test_many_quotation_marks_that_are_never_closed_take_no_quadratic_time() -> None:
    data = b'"a' + b"\nb" * 20_000 + b'\n"c' * 20_000
    found = records(data, max_bytes=1_000_000)
    assert len(found) == 40_001


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for count in (5_000, 40_000):
        path = write(
            tmp_path / "a.csv", b"Question,Answer\n" + b'"quoted, text",answer\n' * count + b'"open,a\n'
        )
        tracemalloc.start()
        with path.open("rb") as file:
            chunks = iter(lambda file=file: file.read(1 << 14), b"")
            lines = read_lines(chunks, RowBuffer(10_000, tmp_path))
            assert sum(1 for _ in read_records(lines, b",", 10_000)) == count + 2
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
