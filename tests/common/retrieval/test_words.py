"""Search terms of English, Japanese and anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.retrieval.words import terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "All volumes’ dust-jackets: 返品したい",
            ["all", "volume", "dust", "jacket", "返品", "品し", "した", "たい"],
        ),
        ("Boxes, copies, addresses, purchases", ["box", "copy", "address", "purchase"]),
        ("this bus status, glass", ["this", "bus", "status", "glass"]),
        ("The publisher's order MA-5783694", ["the", "publisher", "order", "ma", "5783694"]),
        ("ＰｏＫÉＭＯＮ café", ["pokemon", "cafe"]),
        ("ばん はん 本", ["ばん", "はん", "本"]),
        ("vol.3を買った", ["vol", "3", "を買", "買っ", "った"]),
        ("Wo ist mein Päckchen?", ["wo", "ist", "mein", "packchen"]),
        ("?!… ", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_terms_leave_out_what_every_question_has():
    assert terms("Where is my box? I don’t have it") == ["box"]


@given(st.text())
def test_any_text_has_words_that_are_found_again_whatever_their_case(text):
    found = words(text)
    assert all(found)
    assert all(" " not in word for word in found)


@given(st.text(alphabet="abcdefgsx '’返品したい・。", max_size=30))
def test_case_does_not_matter(text):
    assert words(text.upper()) == words(text)
