import re
from datetime import date, datetime, timedelta
from random import Random

import pytest

from sft.tiny.facts import FACTS, make_facts
from sft.tiny.facts_base import in_words, money
from sft.tiny.facts_calendar import clock, date_text, duration
from sft.tiny.text_files import load_library

DRAWS = 300


def draws(name: str) -> list[dict[str, str]]:
    return [make_facts(name, Random(seed), load_library()) for seed in range(DRAWS)]


def amount(text: str) -> float:
    return float(text.replace("$", "").replace(",", ""))


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_is_text(name: str) -> None:
    for facts in draws(name)[:30]:
        assert all(isinstance(value, str) and value for value in facts.values()), facts


def test_no_facts_without_a_name() -> None:
    assert make_facts("", Random(0), load_library()) == {}


@pytest.mark.parametrize(
    ("name", "equation"),
    [
        ("addition", "a + b == total and total + c == grand"),
        ("subtraction", "a - b == rest and rest > 0"),
        ("multiplication", "a * b == product and more * b == next"),
        ("division", "a / b == quotient and uneven % b == left"),
        ("average", "(a + b + c) / 3 == mean and min(a, b, c) > 0"),
        ("percentage", "amount * percent / 100 == part and amount - part == rest and amount + part == more"),
        ("fraction", "amount / divisor == part"),
        ("shopping", "round(count * price, 2) == total and round(paid - total, 2) == change and change > 0"),
        ("budget", "first + second == spent and income - spent == left"),
        ("comparison", "larger - smaller == difference > 0 and {first, second} == {larger, smaller}"),
        ("rectangle", "width * length == area and 2 * (width + length) == around"),
        ("journey", "speed * hours == distance"),
        ("portions", "factor == guests / people == more_grams / grams == more_spoons / spoons"),
        ("savings", "each * weeks == goal and 2 * goal == double"),
        ("temperatures", "noon - morning == rise > 0"),
        ("ages", "older - younger == gap == older_then - younger_then and younger + years == younger_then"),
        ("birthday", "year - born == age and next_age == age + 1"),
        ("booking", "number * price == total and number * night == stay and high - low == difference"),
    ],
)  # fmt: skip
def test_the_sums_are_right(name: str, equation: str) -> None:
    for facts in draws(name):
        numbers = {key: amount(value) for key, value in facts.items() if re.fullmatch(r"-?\$?[\d,.]+", value)}
        assert eval(equation, {"min": min, "round": round} | numbers), (equation, facts)


def test_weekdays_and_dates_agree_with_the_calendar() -> None:
    for facts in draws("weekday_shift"):
        days = [in_words(number) for number in range(20)].index(facts["days"])
        monday = date(2024, 1, 1)
        today = next(
            monday + timedelta(shift)
            for shift in range(7)
            if f"{monday + timedelta(shift):%A}" == facts["day"]
        )
        assert f"{today + timedelta(days):%A}" == facts["later"]
        assert f"{today - timedelta(days):%A}" == facts["earlier"]
    for facts in draws("date_shift"):
        start = datetime.strptime(facts["date"] + " 2023", "%d %B %Y")
        later = start + timedelta(int(facts["days"]))
        assert f"{later.day} {later:%B}" == facts["later"]


def test_times_of_day() -> None:
    assert [clock(minutes) for minutes in (0, 605, 720, 805, 1439)] == [
        "12:00 am",
        "10:05 am",
        "12:00 pm",
        "1:25 pm",
        "11:59 pm",
    ]
    assert (
        duration(60) == "an hour"
        and duration(125) == "two hours and 5 minutes"
        and duration(40) == "40 minutes"
    )
    assert date_text(60) == "1 March" and date_text(365) == "31 December" and date_text(366) == "1 January"
    for facts in draws("time_span"):
        start, end = (datetime.strptime(facts[key], "%I:%M %p") for key in ("start", "end"))
        assert duration(int((end - start).total_seconds()) // 60) == facts["length"]
    for facts in draws("opening_hours"):
        opens, closes, asked = (
            datetime.strptime(facts[key], "%I:%M %p") for key in ("opens", "closes", "asked")
        )
        assert (facts["answer"] == "yes") == (opens <= asked < closes)
    for facts in draws("departure"):
        leave, latest, event = (
            datetime.strptime(facts[key], "%I:%M %p") for key in ("leave", "latest", "event")
        )
        assert duration(int((event - latest).total_seconds()) // 60) == facts["way"]
        assert f"{int((latest - leave).total_seconds()) // 60} minutes" == facts["spare"]


def test_months_lie_in_their_season() -> None:
    seasons = {facts["month"]: facts["season"] for facts in draws("month_facts")}
    assert len(seasons) == 12
    assert (seasons["January"], seasons["March"], seasons["August"]) == ("winter", "spring", "summer")
    assert (seasons["November"], seasons["December"]) == ("autumn", "winter")


def test_numbers_in_words() -> None:
    assert in_words(0) == "zero" and in_words(21) == "twenty-one" and in_words(90) == "ninety"
    assert in_words(105) == "one hundred and five"
    assert in_words(8_854) == "eight thousand eight hundred and fifty-four"
    assert in_words(40_007) == "forty thousand and seven"
    assert money(12) == "$12" and money(1234.5) == "$1,234.50"


def test_letters_and_words() -> None:
    for facts in draws("spelling"):
        assert facts["letters"].replace("-", "") == facts["word"] == facts["backwards"][::-1]
        assert in_words(len(facts["word"])) == facts["length"]
    for facts in draws("alphabet"):
        assert facts["sorted"].split(", ") == sorted(facts["words"].replace(" and ", ", ").split(", "))
    for facts in draws("name_spelling"):
        assert facts["misheard"] != facts["name"]
        assert facts["letters"].replace("-", "") == facts["name"].upper()
    for facts in draws("sorting"):
        assert sorted(map(int, facts["ascending"].split(", "))) == list(
            map(int, facts["ascending"].split(", "))
        )
