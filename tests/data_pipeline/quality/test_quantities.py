import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.quality.quantities import quantities


def found(text: str) -> list[tuple[float, str]]:
    return [(quantity.value, quantity.unit) for quantity in quantities(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("within 30 days", [(720, "hours")]),
        ("within thirty business days", [(720, "hours")]),
        ("within a week", [(168, "hours")]),
        ("in 90 minutes", [(1.5, "hours")]),
        ("for 2 years and 6 months", [(24, "months"), (6, "months")]),
        ("3 to 5 full days", [(72, "hours"), (120, "hours")]),
        ("3-5 days", [(72, "hours"), (120, "hours")]),
        ("two or three weeks", [(336, "hours"), (504, "hours")]),
        ("$4, free from $1,250.50", [(4, "dollars"), (1250.5, "dollars")]),
        ("EUR 5, 7 €, 9 euros", [(5, "euros"), (7, "euros"), (9, "euros")]),
        ("¥500 or 500 yen", [(500, "yen"), (500, "yen")]),
        ("20%, 20 percent, 20％", [(20, "percent"), (20, "percent"), (20, "percent")]),
        ("1.5 kg or 1500 grams", [(1500, "grams"), (1500, "grams")]),
        ("11 × 15 cm", [(110, "millimetres"), (150, "millimetres")]),
        (
            "at 10 a.m., 7:30 pm, 20:15, noon",
            [(600, "clock"), (1170, "clock"), (1215, "clock"), (720, "clock")],
        ),
        ("December 15, the 3rd of May", [(1215, "date"), (503, "date")]),
        ("on Mondays and Sunday", [(0, "weekday"), (6, "weekday")]),
        ("from the 4th", [(4, "ordinal")]),
        ("13 and up", [(13, "")]),
        ("up to 10 volumes", [(10, "count:volume")]),
        ("forty-two of them, a dozen eggs", [(42, ""), (12, "count:egg")]),
        ("two hundred points", [(200, "count:point")]),
    ],
)
def test_what_is_counted(text: str, expected: list[tuple[float, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "order MA-5742619",
        "#4711",
        "ticket 123456",
        "call +49 30 1234567",
        "222-555-0100",
        "a4@b5.com",
        "https://shop.example/5/days",
        "[ORDER_1]",
        "on 2024-05-01",
        "paper A3",
        "one of them",
        "that one customer",
        "",
    ],
)
def test_what_counts_nothing(text: str) -> None:
    assert found(text) == []


def test_places_and_factors() -> None:
    [first, second] = quantities("Send it in 3 to 5 days.")
    assert (first.start, first.end, first.factor) == (11, 12, 24)
    assert (second.start, second.end, second.factor) == (16, 17, 24)


@given(
    st.integers(1, 999), st.sampled_from(["days", "business days", "hours", "volumes", "percent", "kilos"])
)
def test_a_number_with_its_unit_is_found_in_any_sentence(number: int, unit: str) -> None:
    [alone] = quantities(f"{number} {unit}")
    [within] = quantities(f"You have {number} {unit}, as we said.")
    assert (alone.value, alone.unit) == (within.value, within.unit)
    assert alone.value == pytest.approx(number * alone.factor)


@given(st.integers(1, 99), st.integers(1, 99))
def test_both_ends_of_a_range_have_the_unit(low: int, high: int) -> None:
    assert found(f"{low} to {high} days") == [(low * 24, "hours"), (high * 24, "hours")]


@given(st.text(st.sampled_from("0123456789.,:-–$€¥% aáp.mhdays日本th#@/[]\n½²"), max_size=60))
def test_any_text_is_read(text: str) -> None:
    places = [(quantity.start, quantity.end) for quantity in quantities(text)]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in places)


@given(st.text(max_size=200))
def test_any_unicode_is_read(text: str) -> None:
    for quantity in quantities(text):
        assert quantity.value >= 0
