import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.pii.ner.corpus import (
    Sentences,
    generate,
    join,
    labelled,
    load_sentences,
    misspelled,
    recase,
)
from data_pipeline.pii.ner.invent import PLAIN
from data_pipeline.pii.ner.labelled import Labelled
from data_pipeline.pii.ner.slots import Slots
from data_pipeline.pii.ner.tags import ENTITY_TYPES
from data_pipeline.pii.ner.values import Country, Values, fold, is_held_out
from data_pipeline.pii.spans import Span
from data_pipeline.sample.grammar import Piece, slot_names


@cache
def sentences() -> Sentences:
    return load_sentences()


def values() -> Values:
    """A small world, so that tests need no Faker."""
    country = Country(
        first=["Jane", "Zoë"],
        last=["Field", "O'Hara"],
        full=["Dr. Jane O. Field"],
        cities=["Alder Falls"],
        states=["Norland"],
        streets=["Mill Lane"],
        street_addresses=["12 Mill Lane"],
        addresses=["12 Mill Lane\nAlder Falls 40404"],
        units=["Flat 3"],
        postcodes=["40404"],
        companies=["Field and Sons"],
        countries=["Peru"],
    )
    return Values([country], [], jobs=["Baker"], catch_phrases=["Better bread"], words=["bread"])


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_spans_of_generated_texts_hold_whole_values(seed: int) -> None:
    for text in generate(sentences(), values(), 5, 0.3, random.Random(seed)):
        end = 0
        for span in text.spans:
            value = text.text[span.start : span.end]
            assert value and value == value.strip(), text
            assert span.start >= end and span.entity_type in ENTITY_TYPES, text
            end = span.end


def test_clean_texts_have_no_spans_and_the_same_seed_gives_the_same_texts() -> None:
    clean = generate(sentences(), values(), 300, 1.0, random.Random(1))
    again = generate(sentences(), values(), 300, 1.0, random.Random(1))

    assert all(not text.spans for text in clean)
    assert clean == again
    assert len({text.text for text in clean}) > 250


def test_every_slot_of_every_template_can_be_filled() -> None:
    slots = Slots(values(), sentences().words, random.Random(0))
    templates = [*sentences().personal, *sentences().clean]

    assert len(sentences().personal) >= 400
    assert len(sentences().clean) >= 200
    for name in set().union(*map(slot_names, templates)):
        assert slots.fill(name), name
    assert not set(PLAIN) & set(sentences().words)


def test_clean_templates_have_no_slot_for_personal_data() -> None:
    personal = {
        "name",
        "first",
        "last",
        "city",
        "country",
        "state",
        "org",
        "street",
        "street_address",
        "address",
    }

    assert not [template for template in sentences().clean if slot_names(template) & personal]


def test_lines_of_an_address_are_one_span() -> None:
    pieces = [
        Piece("12 Mill Lane", "ADDRESS"),
        Piece("\n"),
        Piece("Leeds LS1 4AP", "ADDRESS"),
        Piece(" and "),
    ]

    text = labelled([*pieces, Piece("PO Box 3", "ADDRESS")])

    assert [text.text[s.start : s.end] for s in text.spans] == ["12 Mill Lane\nLeeds LS1 4AP", "PO Box 3"]


def test_joined_texts_keep_their_spans() -> None:
    one = Labelled("Ask Jane", (Span(4, 8, "PERSON", 1.0),))

    text = join([one, one, one], random.Random(3))

    assert [text.text[s.start : s.end] for s in text.spans] == ["Jane"] * 3


@pytest.mark.parametrize("text", ["Straße in İzmir", "ŉ ǰ ﬁ"])
def test_changing_case_moves_no_letter(text: str) -> None:
    assert len(recase(Labelled(text), str.upper).text) == len(text)
    assert len(recase(Labelled(text), str.lower).text) == len(text)


def test_held_out_values_and_folding() -> None:
    shares = [is_held_out(f"value {i}") for i in range(2_000)]

    assert 0.07 < sum(shares) / len(shares) < 0.13
    assert is_held_out("Jane") == is_held_out("JANE")
    assert fold("Björk Žák") == "Bjork Zak"


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_slips_of_the_keyboard_touch_no_name(seed: int) -> None:
    text = "please send the parcel to Jane Field in Alder Falls today"
    spans = (Span(26, 36, "PERSON", 1.0), Span(40, 51, "LOCATION", 1.0))

    slipped = misspelled(Labelled(text, spans), random.Random(seed))

    assert [slipped.text[s.start : s.end] for s in slipped.spans] == ["Jane Field", "Alder Falls"]
    assert [s.entity_type for s in slipped.spans] == ["PERSON", "LOCATION"]


def test_slips_happen() -> None:
    text = Labelled("please send the parcel to my neighbour today and call me back")

    made = {misspelled(text, random.Random(seed)).text for seed in range(50)}

    assert len(made) > 30
