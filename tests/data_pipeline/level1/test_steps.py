import pickle

import pytest
from datatrove.data import Document
from hypothesis import given
from hypothesis import strategies as st

from common.chat.messages import Message
from data_pipeline.level1.config import Languages, Level1
from data_pipeline.level1.length import conversation_length, weighted_length
from data_pipeline.steps.drop_language import DropLanguage
from data_pipeline.steps.drop_short import DropShort
from tests.data_pipeline.level1.rows import messages


def document(user: str, assistant: str = "") -> Document:
    return Document(text="", id="1", metadata={"messages": messages(user, assistant)})


@pytest.mark.parametrize(
    ("text", "length"),
    [("", 0), ("abc é", 5), ("漫画 ok", 7), ("ﾏﾝｶﾞ", 8), ("カタカナひらがな", 16), ("한국어", 6), ("👍", 1)],
)
def test_weighted_length(text: str, length: int) -> None:
    assert weighted_length(text) == length


@given(st.text())
def test_weights_are_one_or_two(text: str) -> None:
    assert len(text) <= weighted_length(text) <= 2 * len(text)


def test_a_prompt_and_tools_say_nothing() -> None:
    said = [
        *messages("12345", "123"),
        Message(role="tool", content="x" * 99),
        Message(role="assistant", content="1"),
    ]
    assert conversation_length([Message(role="system", content="x" * 99), *said]) == 9


@pytest.mark.parametrize(
    ("user", "assistant", "kept"), [("x" * 25, "x" * 26, True), ("x" * 25, "x" * 25, False)]
)
def test_short(user: str, assistant: str, kept: bool) -> None:
    row = document(user, assistant)
    assert DropShort(50).filter(row) == (True if kept else (False, "too_short"))
    assert row.metadata["characters"] == 50 + kept
    assert row.metadata.get("detail") == (None if kept else "50 characters, not more than 50")


@pytest.mark.parametrize(
    ("user", "outcome", "code", "detail"),
    [
        ("when will my parcel arrive here", True, "en", None),
        ("when will my parcel arrive here? お願いします", True, "ja-en", None),
        ("wann kommt mein paket denn endlich", (False, "language"), "de", "de (1.00)"),
        ("👍", True, None, None),
    ],
)
def test_language(user: str, outcome: object, code: str | None, detail: str | None) -> None:
    row = document(user, "Hello, I am happy to look into this for you.")
    assert DropLanguage(Languages()).filter(row) == outcome
    assert row.metadata["language"] == code
    assert row.metadata.get("detail") == detail


def test_wordless_rows_can_be_rejected() -> None:
    row = document("👍", "Hello")
    step = pickle.loads(pickle.dumps(DropLanguage(Languages(keep_wordless=False))))
    assert step.filter(row) == (False, "language")
    assert row.metadata["detail"] == "no words"


def test_defaults() -> None:
    config = Level1()
    assert config.min_characters == 50
    assert config.languages.allowed == ("en", "ja")
    assert (config.near_duplicates.similarity, config.near_duplicates.changed_words) == (0.4, 0.2)
