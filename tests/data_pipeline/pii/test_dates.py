"""Dates of birth and ages; other dates are the substance of tickets."""

import pytest

from data_pipeline.pii.recognizers.dates import AgeRecognizer, BirthDateRecognizer, DateTimeRecognizer
from tests.data_pipeline.pii.finding import found


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("I was born on 10/10/1975.", "10/10/1975"),
        ("Date of birth: 5 March 1984", "5 March 1984"),
        ("DOB 1984-03-05", "1984-03-05"),
        ("my birthday is March 5th, 1984", "March 5th, 1984"),
        ("born in 1984, in Leeds", "1984"),
        ("geboren am 05.03.1984", "05.03.1984"),
        ("生年月日：1984年3月5日", "1984年3月5日"),
        ("1984年3月5日生まれ", "1984年3月5日"),
    ],
)
def test_date_of_birth(text: str, date: str) -> None:
    assert found(BirthDateRecognizer(), text) == [date]


@pytest.mark.parametrize(
    "text",
    [
        "It was delivered on 10/10/2024.",
        "ordered 2024-03-05, expected March 8",
        "the series was reborn, volume 12 of 1984 is out of print",
        "published in 1984",
        "発売日：2024年3月5日",
    ],
)
def test_other_dates_are_no_dates_of_birth(text: str) -> None:
    assert found(BirthDateRecognizer(), text) == []


@pytest.mark.parametrize(
    "date",
    [
        "1993-10-20 12:40:13",
        "3/31/1982",
        "March 5th, 2024",
        "5 mar 2024",
        "Saturday",
        "12:30 pm",
        "2024年3月",
    ],
)
def test_date_time(date: str) -> None:
    text = f"It is {date}, then"
    assert max(found(DateTimeRecognizer(), text), key=len) == date


@pytest.mark.parametrize("text", ["vol. 3/12", "1.5 kg", "I may go", "24/7", "ratio 16:9", "MA-2024-03-05"])
def test_no_date_time(text: str) -> None:
    assert found(DateTimeRecognizer(), text) == []


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("I'm 34, and new to this", "34"),
        ("my son is 12 years old", "12"),
        ("a 7-year-old reader", "7"),
        ("aged 78", "78"),
        ("she turned 16.", "16"),
        ("娘は12歳です", "12"),
        ("Daughter, 9 y/o", "9"),
    ],
)
def test_age(text: str, age: str) -> None:
    assert found(AgeRecognizer(), text) == [age]


@pytest.mark.parametrize(
    "text",
    [
        "suitable for 12 year olds",
        "rated 16 years old and up",
        "under 18 years old",
        "I'm 34% sure, I'm 5 books in, I'm 100 km away",
        "turned 180 degrees, turned 3 pages",
        "a 3 year warranty",
        "I'm 4.5 stars happy",
        "is 10 days old",
    ],
)
def test_no_age(text: str) -> None:
    assert found(AgeRecognizer(), text) == []
