import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.pii.json_text import is_json, mended, mended_lines

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.parametrize(
    ("scrubbed", "expected"),
    [
        ('{"a": [PHONE]}', '{"a": "[PHONE]"}'),
        ('{"a": [[PHONE_2], 3]}', '{"a": ["[PHONE_2]", 3]}'),
        ('{"a": 12[CARD]}', '{"a": "12[CARD]"}'),
        ('{"a": "see [PHONE]", "b": [EMAIL:1f0c]}', '{"a": "see [PHONE]", "b": "[EMAIL:1f0c]"}'),
        ('{"a": "[NAME]}', '{"a": "[NAME]}'),  # a quotation mark was part of what was replaced
        ("call [PHONE]", "call [PHONE]"),
    ],
)
def test_what_stands_for_a_number_becomes_a_string(scrubbed: str, expected: str) -> None:
    assert mended(scrubbed) == expected


@given(st.lists(VALUES) | st.dictionaries(st.text(), VALUES))
def test_json_is_left_as_it_is(value: Any) -> None:
    text = json.dumps(value)
    assert is_json(text)
    assert mended(text) == text


@given(st.text())
def test_text_is_left_as_it_is(text: str) -> None:
    assert mended(text) == text or is_json(mended(text))
    assert mended_lines(text) == text or '{"name": ' in text
