import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.chat.messages import Message
from data_pipeline.level1.compared import compared, squeeze, stretched


@pytest.mark.parametrize(
    ("text", "squeezed"),
    [
        ("  Where is my ORDER?! ", "where is my order"),
        ("I can't -- I cant", "i cant i cant"),
        ("Dear [NAME_2], your order [ORDER_NUMBER] is on its way", "dear your order is on its way"),
        ("order MA-3907476 and #4711, parcel KP123456789JP", "order and parcel"),
        ("Volume 3 costs $12.50, #2 of 2024", "volume 3 costs 12 50 2 of 2024"),
        ("『進撃の巨人』第34巻、ありますか？", "進撃の巨人 第34巻 ありますか"),
        ("Où est mon colis ?", "où est mon colis"),
        ("snake_case [lower] [A]", "snake case lower a"),
        ("👍 👍", "👍 👍"),
        ("[NAME]", "[name]"),
        ("   ", ""),
    ],
)
def test_words_are_left(text: str, squeezed: str) -> None:
    assert squeeze(text) == squeezed


def test_both_sides_and_nothing_else() -> None:
    messages = [
        Message(role="system", content="Be kind."),
        Message(role="user", content="Hi!"),
        Message(role="assistant", content="Hello, one moment."),
        Message(role="tool", content='{"status": "sent"}'),
        Message(role="assistant", content="It is sent."),
        Message(role="user", content="Thanks"),
    ]
    assert compared(messages) == ("hi thanks", "hello one moment it is sent")


@given(st.text())
def test_one_line_without_edges(text: str) -> None:
    squeezed = squeeze(text)
    assert squeezed == " ".join(squeezed.split())


@given(st.text("abC'-_ .\t"))
def test_ascii_is_no_special_case(text: str) -> None:
    words = re.sub(r"[\W_]+", " ", text.lower().replace("'", "")).strip()
    assert squeeze(f"{text} é") == f"{words} é".strip()
    assert squeeze(text) == (words or " ".join(text.split()))


def test_japanese_is_stretched() -> None:
    assert stretched("moth 3巻 ありがとう") == "moth 3巻巻 あありりががととうう"
    assert stretched("moth é") == "moth é"


@pytest.mark.parametrize("unit", ["a-", "1", "-", "[A", "#", "a1", "[NAME_", "' "])
def test_linear_time(unit: str) -> None:
    started = time.process_time()
    squeeze(unit * (200_000 // len(unit)))
    assert time.process_time() - started < 2
