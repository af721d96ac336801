import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from tests.data_pipeline.sources.reading import Found, read, settings, write

PAIRS = {"question": "q", "answer": "a"}
TURNS = {
    "conversation": "chat",
    "role": "who",
    "text": "said",
    "internal": "hidden",
    "customer": "user_id",
    "email": "mail",
    "fields": {"csat": "stars"},
}
HEADER = "chat,who,said,hidden,user_id,mail,stars\n"


def read_turns(tmp_path: Path, *lines: str, **values: Any) -> Found:
    path = write(tmp_path / "turns.csv", HEADER + "".join(f"{line}\n" for line in lines))
    return read(tmp_path, type="table", path=path, columns=TURNS, **values)


def test_rows_of_a_conversation_become_one(tmp_path: Path) -> None:
    found = read_turns(
        tmp_path,
        "c1,Customer,Where is it?,no,u1,Mia@x.org,",
        'c1,agent,"Ask the depot,\nplease",TRUE,a9,agent@shop.example,',
        "c1,Agent,On its way.,,a9,agent@shop.example,5",
        "c1,agent,  ,,a9,agent@shop.example,4",
        "c2,user,Hi,0,u2,,",
    )
    assert found.turns == [
        [("user", "Where is it?"), ("assistant", "Ask the depot,\nplease"), ("assistant", "On its way.")],
        [("user", "Hi")],
    ]
    first, second = (document.metadata for document in found.documents)
    assert [message["internal"] for message in first["messages"]] == [False, True, False]
    assert first["keys"] == ["customer:table:u1", "email:mia@x.org", "thread:table:c1"]
    assert first["fields"] == {"csat": "5", "turns_without_text": 1}
    assert second["keys"] == ["customer:table:u2", "thread:table:c2"]
    assert [document.id for document in found.documents] == ["table/c1", "table/c2"]
    assert found.lines == [2, 7]
    assert found.documents[0].text.count("\n") == 4


def test_a_conversation_with_a_turn_that_could_not_be_read_is_rejected(tmp_path: Path) -> None:
    found = read_turns(
        tmp_path,
        "c1,user,One,,,,",
        "c1,agent,broken",
        "c1,agent,Two,,,,",
        "c2,user,One,,,,",
        "c2,agent,broken",
        "c3,user,One,,,,",
    )
    assert found.rejected == [(3, "ragged_row"), (2, "missing_turn"), (6, "ragged_row")]
    assert [document.id for document in found.documents] == ["table/c2", "table/c3"]
    assert "see line 3" in found.details[1]


def test_rows_that_stand_apart_are_told(tmp_path: Path) -> None:
    found = read_turns(
        tmp_path,
        "c1,user,One,,,,",
        "c2,user,Two,,,,",
        "c1,agent,Three,,,,",
        ",agent,Four,,,,",
        "c3,user,Five,,,,",
    )
    assert found.rejected == [(5, "no_conversation"), (4, "not_contiguous")]
    assert [document.id for document in found.documents] == ["table/c1", "table/c2", "table/c3"]


def test_a_long_conversation_lies_on_disk_and_the_next_is_whole(tmp_path: Path) -> None:
    many = [f"c1,user,{'x' * 90},,,," for _ in range(20)]
    found = read_turns(tmp_path, *many, "c2,user,Hi,,,,", max_line_bytes=1000)
    assert found.rejected == [(2, "line_too_long")]
    assert found.turns == [[("user", "Hi")]]


@pytest.mark.parametrize("size", range(48, 60))
def test_a_conversation_is_whole_or_too_long(tmp_path: Path, size: int) -> None:
    found = read_turns(tmp_path, "c1,user,aaaa,,,,", f"c1,agent,{'b' * 24},,,,", max_line_bytes=size)
    whole = len(f"c1,user,aaaa,,,,\nc1,agent,{'b' * 24},,,,") <= size
    assert [len(turns) for turns in found.turns] == ([2] if whole else [])


def test_what_came_before_a_damage_is_kept(tmp_path: Path) -> None:
    rows = [{"chat": f"c{n // 2}", "who": "user", "said": f"text {n}"} for n in range(2000)]
    columns = {"conversation": "chat", "role": "who", "text": "said"}
    data = json.dumps(rows)[:-20_000]
    path = write(tmp_path / "turns.json", data)
    found = read(tmp_path, type="table", path=path, columns=columns)
    assert found.reasons == ["broken_json"]
    assert [len(turns) for turns in found.turns[:-1]] == [2] * (len(found.turns) - 1)
    assert len(found.turns) > 500


@pytest.mark.parametrize(("role", "reason"), [("boss", "bad_role"), ("", "bad_role")])
def test_a_role_that_is_nobodys_is_told_without_quoting_it(tmp_path: Path, role: str, reason: str) -> None:
    found = read_turns(tmp_path, f"c1,{role},Hi,,,,")
    assert found.reasons == [reason]
    assert role == "" or role not in found.details[0]


def test_roles_may_have_the_companys_own_names(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "c,r,t\n1,Kunde,Hallo\n1,Wir,Guten Tag\n")
    columns = {
        "conversation": "c",
        "role": "r",
        "text": "t",
        "user_roles": ["kunde"],
        "assistant_roles": ["wir"],
    }
    found = read(tmp_path, type="table", path=path, columns=columns)
    assert found.turns == [[("user", "Hallo"), ("assistant", "Guten Tag")]]


def test_json_lines_with_names_of_their_own(tmp_path: Path) -> None:
    rows = [
        {"q": "How much?", "a": 42, "sys": "Be brief.", "no": 7},
        {"q": "How much?", "a": {"text": "42"}},
        {"q": "How much?"},
        {"q": None, "a": "42", "sys": ""},
    ]
    path = write(tmp_path / "faq.jsonl", "\n".join(map(json.dumps, rows)))
    found = read(tmp_path, type="table", path=path, columns=PAIRS | {"system": "sys", "id": "no"})
    assert found.turns == [
        [("system", "Be brief."), ("user", "How much?"), ("assistant", "42")],
        [("user", "How much?"), ("assistant", "")],
        [("user", ""), ("assistant", "42")],
    ]
    assert found.rejected == [(2, "bad_message")]


PARQUET = {
    "q": ["One?", "Two?", "Three?"],
    "a": ["Yes.", "No.", None],
    "day": [date(2024, 1, 8), None, date(2024, 1, 9)],
    "seen": [datetime(2024, 1, 8, 7, tzinfo=UTC)] * 3,
    "price": [Decimal("9.50"), None, Decimal("1.25")],
    "share": [float("nan"), 0.5, None],
    "tags": [["a", "b"], [], None],
    "raw": [b"ok", b"fine", None],
    "secret": ["x", "y", "z"],
}


def parquet(path: Path, columns: dict[str, Any] = PARQUET, **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_parquet_comes_with_its_types(tmp_path: Path) -> None:
    fields = {name: name for name in ("day", "seen", "price", "share", "tags", "raw")}
    path = parquet(tmp_path / "faq.parquet", row_group_size=2)
    found = read(tmp_path, type="table", path=path, columns=PAIRS | {"fields": fields})
    assert [turns[0][1] for turns in found.turns] == ["One?", "Two?", "Three?"]
    assert found.lines == [1, 2, 3]
    assert found.fields[0] == {
        "day": "2024-01-08",
        "seen": "2024-01-08T07:00:00+00:00",
        "price": 9.5,
        "tags": ["a", "b"],
        "raw": "ok",
    }
    assert found.fields[2] == {"day": "2024-01-09", "seen": "2024-01-08T07:00:00+00:00", "price": 1.25}
    assert "secret" not in found.documents[0].text


def test_a_value_that_is_no_utf8_costs_its_own_row_only(tmp_path: Path) -> None:
    texts = pa.array([b"good", b"\xff\xfe", b"also good"], pa.binary()).view(pa.string())
    path = tmp_path / "faq.parquet"
    pq.write_table(pa.table({"q": texts, "a": ["1", "2", "3"], "raw": [b"", b"", b"\xff"]}), path)
    found = read(tmp_path, type="table", path=path, columns=PAIRS)
    assert [turns[0][1] for turns in found.turns] == ["good", "also good"]
    assert found.rejected == [(2, "invalid_utf8")]
    found = read(tmp_path, type="table", path=path, columns=PAIRS | {"fields": {"raw": "raw"}})
    assert found.rejected == [(2, "invalid_utf8"), (3, "invalid_utf8")]


def test_long_rows_of_parquet_are_rejected(tmp_path: Path) -> None:
    path = parquet(tmp_path / "faq.parquet", {"q": ["x" * 2000, "Two?"], "a": ["1", "2"]})
    found = read(tmp_path, type="table", path=path, columns=PAIRS, max_line_bytes=1000)
    assert (found.rejected, found.lines) == ([(1, "line_too_long")], [2])


@pytest.mark.parametrize("damage", ["cut", "empty", "no parquet", "flipped", "no column"])
def test_a_damaged_parquet_file_does_not_stop_the_run(tmp_path: Path, damage: str) -> None:
    many = {"q": [f"question {n}" for n in range(5000)], "a": [f"answer {n}" for n in range(5000)]}
    path = tmp_path / "data" / "a.parquet"
    path.parent.mkdir()
    parquet(path, many, row_group_size=500, compression="NONE", use_dictionary=False)
    data = path.read_bytes()
    columns = PAIRS
    if damage == "no column":
        columns = PAIRS | {"id": "number"}
    path.write_bytes(
        {
            "cut": data[:-100],
            "empty": b"",
            "no parquet": b"q,a\n1,2\n",
            "flipped": data[: len(data) // 2] + b"\xff" * 400 + data[len(data) // 2 + 400 :],
        }.get(damage, data)
    )
    parquet(path.with_name("b.parquet"), many if damage == "no column" else {"q": ["Still?"], "a": ["Read."]})
    found = read(tmp_path, type="table", path=path.parent, columns=columns)
    reason = "missing_column" if damage == "no column" else "corrupt_parquet"
    assert set(found.reasons) <= {reason, "invalid_utf8"}
    assert found.reasons.count(reason) == found.files_cut_short
    if damage not in ("no column", "flipped"):
        assert found.reasons == [reason]
    if damage != "no column":
        assert found.turns[-1] == [("user", "Still?"), ("assistant", "Read.")]


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"question": "q"},
        {"question": "q", "answer": "a", "role": "r"},
        {"conversation": "c", "role": "r"},
        {"conversation": "c", "role": "r", "text": "t", "answer": "a"},
        {"conversation": "c", "role": "r", "text": "t", "id": "i"},
        {"question": "q", "answer": "a", "internal": "i"},
        {"question": "q", "answer": "a", "quest": "q"},
    ],
)
def test_columns_of_neither_layout_are_told(columns: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(type="table", path=__file__, columns=columns)


@pytest.mark.parametrize("wrong", [{"encoding": "utf-88"}, {"delimiter": '"'}, {"delimiter": "ab"}])
def test_encodings_and_delimiters_are_checked(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(type="table", path=__file__, columns=PAIRS, **wrong)
