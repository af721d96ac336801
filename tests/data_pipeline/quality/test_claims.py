import pytest

from data_pipeline.quality.claims import NAME, Claim, Names, agree, claims, comparable, is_derived

NAMES = Names(["Bring it to **Mill Lane** or to Harbour Street.", "The Salt Road is long. It was Old Tom's."])


def claim(text: str) -> Claim:
    [found] = claims(text, NAMES)
    return found


def test_names_are_those_of_the_knowledge_base_and_the_longest() -> None:
    names = Names(["We sell Bridge of Glass and **Bridge of Glass Deluxe**."])
    [found] = names.find("Is Bridge of Glass Deluxe in stock?")
    assert (found.unit, found.value) == (NAME, "Bridge of Glass Deluxe")
    assert list(names.find("Glass Deluxe, bridge of glass")) == []


def test_the_first_words_of_sentences_are_no_names() -> None:
    assert [found.value for found in NAMES.find("Mill Lane, Harbour Street, The Salt")] == [
        "Mill Lane",
        "Harbour Street",
    ]


@pytest.mark.parametrize("text", ["The two came late.", "three of them", "Read Seven Bridges first"])
def test_figures_of_speech_and_titles_are_no_claims(text: str) -> None:
    assert claims(text) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("30 days", "720 hours", True),
        ("30 days", "31 days", False),
        ("30 days", "one month", True),
        ("60 days", "one month", False),
        ("70 grams", "it has 70", True),
        ("$70", "70%", False),
        ("10 books", "10 volumes", True),
        ("2.2046 lb", "1 kg", True),
        ("Mill Lane", "Mill Lane", True),
        ("Mill Lane", "Harbour Street", False),
    ],
)
def test_agreement(one: str, other: str, expected: bool) -> None:
    assert agree(claim(one), claim(other)) is expected
    assert agree(claim(other), claim(one)) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("30 days", "2 weeks", 1.0),
        ("30 days", "2 months", 1.0),
        ("30 days", "$2", 0.0),
        ("$3", "3 euros", 0.0),
        ("10 books", "10 boxes", 0.0),
        ("10 books", "it is 12", 0.7),
        ("Mill Lane", "Harbour Street", 0.8),
        ("Mill Lane", "30 days", 0.0),
    ],
)
def test_comparable(one: str, other: str, expected: float) -> None:
    other_claim = claims(other, NAMES)[-1]
    assert comparable(claim(one) if one != "10 books" else claims(one)[0], other_claim) == expected


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("$12", [33, 45], True),
        ("289 millimetres", [17], True),
        ("$78", [33, 45], True),
        ("$12", [30, 45], False),
        ("$45", [45], False),
        ("Mill Lane", [1, 2], False),
    ],
)
def test_derived(text: str, known: list[float], expected: bool) -> None:
    assert is_derived(claim(text), known) is expected
