"""Templates: what parses, what they expand to, and where the personal data goes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.sample.grammar import Choice, Piece, Slot, Template, expand, join, parse, plain, slot_names

WORDS = st.text(alphabet="abc ,.!", min_size=1)


def templates() -> st.SearchStrategy[str]:
    """Source text of well-formed templates, nested up to a few levels."""

    def choice(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.lists(inner, min_size=2, max_size=3).map(lambda options: "{" + "|".join(options) + "}")

    return st.recursive(WORDS | st.sampled_from(["{order}", "{shipping.price}"]), choice, max_leaves=8)


def said(text: str, seed: int = 0, **values: str) -> str:
    return plain(expand(parse(text), random.Random(seed), lambda name: [Piece(values[name])]))


def test_slot_and_choice_are_told_apart() -> None:
    template = parse("Order {order} is {late|lost}")

    assert template == Template(
        ("Order ", Slot("order"), " is ", Choice((Template(("late",)), Template(("lost",)))))
    )


def test_every_alternative_is_reached() -> None:
    outcomes = {said("{a|b {c|d}|}", seed) for seed in range(50)}

    assert outcomes == {"a", "b c", "b d", ""}


def test_slots_are_filled_inside_alternatives() -> None:
    assert said("{volume {volume}|vol {volume}}", volume="7") in {"volume 7", "vol 7"}
    assert slot_names(parse("{a|{b|{c}} {d}}")) == {"c", "d"}


def test_a_bar_outside_braces_is_text() -> None:
    assert said("| Standard | {price} |", price="4") == "| Standard | 4 |"


def test_backslash_n_is_a_line_break() -> None:
    assert said("Best,\\n{name}", name="Mia") == "Best,\nMia"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{a|b", "an opening brace without a closing one"),
        ("a}", "a closing brace without an opening one"),
        ("{not a slot}", "{not a slot} is neither a slot name nor a choice"),
        ("{}", "{} is neither a slot name nor a choice"),
    ],
)
def test_what_is_wrong_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        parse(text)
    assert reason in str(caught.value)


@given(templates(), st.integers())
def test_expansion_leaves_no_braces_and_depends_on_the_seed_only(text: str, seed: int) -> None:
    values = {"order": "MA-1", "shipping.price": "4"}
    once = said(text, seed, **values)

    assert once == said(text, seed, **values)
    assert not set("{}|") & set(once)


def test_join_capitalises_after_a_full_stop_only() -> None:
    parts = [[Piece("also,")], [Piece("is it free?")], [Piece("thanks")]]

    assert plain(join(parts)) == "Also, is it free? Thanks"


def test_join_closes_sentences_of_customers() -> None:
    parts = [[Piece("is it free")], [Piece("order "), Piece("MA-1", "order_number")], [Piece("thx")]]

    assert plain(join(parts, close=True)) == "Is it free. Order MA-1. Thx"


@given(st.lists(st.lists(st.tuples(WORDS, st.booleans())), max_size=4))
def test_join_keeps_every_piece_of_personal_data(parts: list[list[tuple[str, bool]]]) -> None:
    pieces = [[Piece(text, "name" if personal else None) for text, personal in part] for part in parts]
    personal = [piece for part in pieces for piece in part if piece.kind]

    assert [piece for piece in join(pieces) if piece.kind] == personal
