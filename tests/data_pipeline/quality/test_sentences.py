import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.quality.sentences import body, core, is_stock, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is here. Is it? Yes!", ["It is here.", "Is it?", "Yes!"]),
        ("Open until 7 p.m. on Sunday. Bring Dr. Who.", ["Open until 7 p.m. on Sunday.", "Bring Dr. Who."]),
        ("- one\n- two", ["- one", "- two"]),
        ("返品できます。三日以内です。", ["返品できます。", "三日以内です。"]),
        ("It costs 1.50 in all.", ["It costs 1.50 in all."]),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(max_size=200))
def test_no_word_is_lost(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for reaching out!",
        "Thank you so much for your patience.",
        "I am sorry for the inconvenience.",
        "You're welcome!",
        "Happy to help!",
        "Is there anything else I can do for you?",
        "Have a lovely day!",
        "I understand your frustration.",
        "Please don't hesitate to contact us again.",
    ],
)
def test_stock(text: str) -> None:
    assert is_stock(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you, the label costs $6.",
        "I am sorry, sleeping bags can't be returned.",
        "Have a look at the second page.",
        "I checked the depot: it leaves at nine.",
        "",
    ],
)
def test_no_stock(text: str) -> None:
    assert not is_stock(text)


def test_greeting_name_and_sign_off_are_no_part_of_the_body() -> None:
    reply = (
        "Dear [NAME_1],\nThis is Bo from the claims team. The pole is 240 cm.\n\nKind regards,\nBo | Tents"
    )
    assert body(reply) == "The pole is 240 cm."
    assert body("Hi there! It is sold out.") == "It is sold out."
    assert body("Hire a tent for 3 days.") == "Hire a tent for 3 days."


def test_a_reply_that_is_all_sign_off_stays() -> None:
    assert body("Thanks") == "Thanks"
    assert core("Thanks") == []
