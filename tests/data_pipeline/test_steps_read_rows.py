import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.sources.json_rows import parse
from data_pipeline.sources.row import RowDefect


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": ', "broken_json"),
        ("", "broken_json"),
        ('{"a": NaN}', "broken_json"),
        ('{"a": -Infinity}', "broken_json"),
        ('{"a": 1e999}', "broken_json"),
        ('{"a": ' + "9" * 5000 + "}", "broken_json"),
        ('{"a": -' + "9" * 309 + "}", "broken_json"),
        ('{"a": ' + "[" * 100_000, "broken_json"),
        ('{"a": ' + "[" * 120 + "]" * 120 + "}", "broken_json"),
        ('{"a": 1} {"b": 2}', "broken_json"),
        ("[1]", "not_an_object"),
        ('"text"', "not_an_object"),
        ("null", "not_an_object"),
        ('{"a": "\\ud83d"}', "bad_unicode"),
        ('{"\\uDE00": 1}', "bad_unicode"),
    ],
)
def test_what_is_no_json_object_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(RowDefect) as error:
        parse(text)
    assert error.value.reason == reason


def test_a_detail_tells_where_but_not_what() -> None:
    with pytest.raises(RowDefect, match="at character 9 of the row") as error:
        parse('{"name": secret}')
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("text", ['{"a": ' + "9" * 308 + "}", '{"a": "' + "9" * 400 + '"}'])
def test_long_numbers_pass_and_longer_ones_as_text(text: str) -> None:
    assert parse(text) == json.loads(text)


@pytest.mark.parametrize("text", ['{"a": "\\ud83d\\ude00"}', '{"a": "C:\\\\udir"}', '{"a": [[1.5, -0.0]]}'])
def test_unusual_but_sound_rows_pass(text: str) -> None:
    assert parse(text) == json.loads(text)


@given(st.text())
def test_whatever_passes_can_be_written_again(text: str) -> None:
    try:
        row = parse(text)
    except RowDefect:
        return
    json.dumps(row, allow_nan=False, ensure_ascii=False).encode()
