"""Recognisers and a detector together: who wins, what is joined, what is left alone."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UserError
from data_pipeline.pii.config import ALL_TYPES, DEFAULT_TYPES, PiiConfig, every_type
from data_pipeline.pii.engine import PiiEngine, load_engine
from data_pipeline.pii.resolve import by_model, by_rules, resolve
from data_pipeline.pii.spans import Span
from tests.data_pipeline.pii.fake import FakeDetector


def _found(
    text: str, known: Mapping[str, str] | None = None, config: PiiConfig | None = None
) -> list[tuple[str, str]]:
    engine = PiiEngine(config or every_type(None), FakeDetector(known or {}))
    [spans] = engine.find([text])
    return [(span.entity_type, text[span.start : span.end]) for span in spans]


def test_rules_and_detector_are_put_together() -> None:
    text = "Kenji wrote from jo@example.org about Kumori Press in Leeds"
    known = {"Kenji": "PERSON", "Kumori Press": "ORGANIZATION", "Leeds": "LOCATION"}
    assert _found(text, known) == [
        ("PERSON", "Kenji"),
        ("EMAIL_ADDRESS", "jo@example.org"),
        ("ORGANIZATION", "Kumori Press"),
        ("LOCATION", "Leeds"),
    ]


def test_a_checked_number_wins_over_the_detector_and_the_rest_of_its_span_stays() -> None:
    assert _found("Jo Field jo@example.org", {"Jo Field jo@example.org": "PERSON"}) == [
        ("PERSON", "Jo Field"),
        ("EMAIL_ADDRESS", "jo@example.org"),
    ]


def test_the_company_s_own_pattern_wins_over_all() -> None:
    config = PiiConfig(detector=None, patterns={"ORDER_NUMBER": r"\b\d{3}-\d{3}-\d{4}\b"})
    assert _found("It is 212-555-0147", config=config) == [("ORDER_NUMBER", "212-555-0147")]


def test_overlapping_names_are_one() -> None:
    assert _found("my name is Jo Field Junior", {"Field Junior": "PERSON"}) == [("PERSON", "Jo Field Junior")]


def test_a_name_that_rules_know_is_no_organisation() -> None:
    assert _found("Dear Harrow Finch,", {"Harrow Finch": "ORGANIZATION"}) == [("PERSON", "Harrow Finch")]


@pytest.mark.parametrize(
    ("text", "known", "address"),
    [
        (
            "12 Inkwell Lane\nApt. 3\nLarkmoor\nNorway 12345",
            {},
            "12 Inkwell Lane\nApt. 3\nLarkmoor\nNorway 12345",
        ),
        (
            "at Stubben 14, Leeds 00045 now",
            {"Stubben 14": "ADDRESS", "Leeds": "LOCATION"},
            "Stubben 14, Leeds 00045",
        ),
        ("at 7 Stubben\nLeeds.", {"Stubben": "ADDRESS", "Leeds": "LOCATION"}, "7 Stubben\nLeeds"),
        ("go to Leeds, CA 94107", {"Leeds": "LOCATION"}, "Leeds, CA 94107"),
    ],
)
def test_pieces_of_an_address_are_joined(text: str, known: Mapping[str, str], address: str) -> None:
    assert _found(text, known) == [("ADDRESS", address)]


def test_towns_that_are_no_address_are_not_joined() -> None:
    assert _found("Leeds, York", {"Leeds": "LOCATION", "York": "LOCATION"}) == [
        ("LOCATION", "Leeds"),
        ("LOCATION", "York"),
    ]


def test_types_that_are_off_are_not_found_but_still_join() -> None:
    config = PiiConfig(detector=None, entity_types=["ADDRESS"])
    assert _found("12 Inkwell Lane, Leeds", {"Leeds": "LOCATION"}, config) == [
        ("ADDRESS", "12 Inkwell Lane, Leeds")
    ]
    assert _found("in Leeds on Friday", {"Leeds": "LOCATION"}, config) == []


def test_default_types_keep_what_answers_are_made_of() -> None:
    text = "Do you ship the Japanese edition to Norway by Friday, 8 March 2024?"
    assert _found(text, config=PiiConfig(detector=None)) == []
    assert {name for name, _ in _found(text)} == {"NRP", "COUNTRY", "DATE_TIME"}
    assert set(ALL_TYPES) - set(DEFAULT_TYPES) == {"NRP", "COUNTRY", "DATE_TIME"}


@pytest.mark.parametrize(
    "text", ["Visa", "MASTERCARD's", "Apple Pay", "apple pay, paypal", "Salt Crow Diary"]
)
def test_allowed_names_are_left(text: str) -> None:
    config = PiiConfig(detector=None, allow_list=["Salt Crow Diary"])
    assert _found(f"I like {text} a lot", {text: "ORGANIZATION"}, config) == []


def test_a_part_of_an_allowed_name_is_left_only_within_it() -> None:
    config = PiiConfig(detector=None, allow_list=["Salt Crow Diary"])
    assert _found("Is Salt Crow Diary out?", {"Salt Crow": "PERSON"}, config) == []
    assert _found("Is Salt Crow out?", {"Salt Crow": "PERSON"}, config) == [("PERSON", "Salt Crow")]


def test_thresholds() -> None:
    known = {"Kenji": "PERSON", "Leeds": "LOCATION"}
    config = PiiConfig(detector=None, threshold=0.9, thresholds={"LOCATION": 0.5})
    assert _found("Kenji in Leeds", known, config) == [("LOCATION", "Leeds")]


@pytest.mark.parametrize("text", ["[NAME]", "[NAME_2]", "[EMAIL:0123456789abcdef]", "[ORDER_NUMBER]"])
def test_placeholders_are_left(text: str) -> None:
    config = PiiConfig(detector=None, patterns={"ORDER_NUMBER": r"MA-\d{7}"})
    assert _found(f"Dear {text}, hello", {text: "PERSON", text[1:5]: "PERSON"}, config) == []


def test_brackets_that_are_no_placeholder_are_not_left() -> None:
    assert _found("see [Kenji] and [KENJI]", {"Kenji": "PERSON", "KENJI": "PERSON"}) == [
        ("PERSON", "Kenji"),
        ("PERSON", "KENJI"),
    ]


_KNOWN = {"Kenji": "PERSON", "Leeds": "LOCATION", "Inkwell": "ADDRESS"}
_PIECES = st.sampled_from(
    ["Kenji", "Leeds", "Inkwell", "12", "00045", ", ", "\n", " ", "Dear ", "call ", "555-0142", "様",
     "jo@example.org", "Apt 3", "[NAME]", "Norway", " 12345",
     "'s", "https://a.example/", "田中", "aged 34", "Mr. "]
)  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=12).map("".join)


@given(st.lists(_TEXTS, max_size=5))
def test_a_text_s_spans_do_not_depend_on_its_batch(texts: list[str]) -> None:
    engine = PiiEngine(every_type(None), FakeDetector(_KNOWN))
    assert engine.find(texts) == [engine.find([text])[0] for text in texts]


@given(_TEXTS | st.text(max_size=80))
def test_spans_are_in_order_within_the_text_and_do_not_overlap(text: str) -> None:
    [spans] = PiiEngine(every_type(None), FakeDetector(_KNOWN)).find([text])
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.integers(1, 12),
            st.sampled_from(["PERSON", "ADDRESS", "URL"]),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_resolving_lets_nothing_go(drawn: list[tuple[int, int, str, bool]]) -> None:
    text = "x" * 50
    spans = [(rules, Span(start, start + size, name, 0.8)) for start, size, name, rules in drawn]
    candidates = [
        *by_rules(s for rules, s in spans if rules),
        *by_model(s for rules, s in spans if not rules),
    ]
    covered = {position for _, span in spans for position in range(span.start, span.end)}
    kept = [position for span in resolve(text, candidates) for position in range(span.start, span.end)]
    assert len(kept) == len(set(kept))
    assert set(kept) == covered


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "@", "1 ", "1-", "(1", "A ", "Ab 1 ", "a.", "::", "Apt 1 ", "Dear ", "\nbest,\nBob ",
     "rue A 1 ", "県市", "山様", "on a, ", "my name is ", "US ", "[NAME]", "corner of a ", "1.1.",
     "http://(", "5 Main ", "Paris, 12345 "],
)  # fmt: skip
def test_long_texts_of_one_thing_over_and_over(unit: str) -> None:
    """Time that grows faster than the text would take minutes here."""
    text = unit * (20_000 // len(unit))
    [spans] = PiiEngine(every_type(None), None).find([text])
    assert all(text[span.start : span.end].strip() for span in spans)


@given(st.text(alphabet="1 -.()+@aA,:/\n[]様", max_size=300))
@settings(max_examples=60)
def test_no_text_breaks_the_recognisers(text: str) -> None:
    [spans] = PiiEngine(every_type(None), None).find([text])
    assert all(span.score > 0 for span in spans)


def test_a_model_that_is_not_there(tmp_path: object) -> None:
    with pytest.raises(UserError):
        load_engine(PiiConfig.model_construct(**{**PiiConfig().model_dump(), "detector": tmp_path}))
