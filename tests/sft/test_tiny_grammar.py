from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.tiny.grammar import parse, parse_rule, render
from sft.tiny.morphology import noun_forms, verb_forms
from sft.tiny.nodes import Cell, Rule, Scope
from sft.tiny.text_files import Library, load_library


def make(rules: str = "", tables: str = "") -> Library:
    library = Library()
    sections = {}
    if rules:
        sections["rules"] = dict(line.split(": ", 1) for line in rules.strip().split("\n"))
    if tables:
        sections["tables"] = {"pair": tables}
    library.add("test", sections)
    return library


def say(text: str, library: Library, seed: int = 0, facts: dict[str, str] | None = None) -> str:
    references: list[Rule | Cell] = []
    node = parse(text, references)
    library.references += references
    library.link()
    return render(node, Scope(Random(seed).random, facts or {}))


@given(st.integers(0, 10_000))
def test_a_labelled_rule_is_expanded_once_and_labels_differ(seed: int) -> None:
    library = make("fruit: fig | pear | plum | lime")
    a, again, b, c, d = (
        say("<fruit#a> <fruit#a> <fruit#b> <fruit#c> <fruit#d>", library, seed).lower().split()
    )
    assert a == again
    assert len({a, b, c, d}) >= 3


@given(st.integers(0, 10_000))
def test_cells_of_one_label_come_from_one_row(seed: int) -> None:
    library = make(tables="land city\nPeru => Lima\nKenya => Nairobi\nNorway => Oslo")
    land, city = say("<pair.land#x>/<pair.city#x>", library, seed).split("/")
    assert {"Peru": "Lima", "Kenya": "Nairobi", "Norway": "Oslo"}[land] == city


@given(st.integers(0, 10_000))
def test_a_label_with_underscore_belongs_to_its_row(seed: int) -> None:
    library = make("thing: axe | saw | rake", "base past\nlift <thing#_o> => lifted <thing#_o>")
    text = say("<pair.base#d> <pair.past#d> <pair.past#e>", library, seed).lower().split()
    assert text[1] == text[3]
    assert {text[1], text[5]} <= {"axe", "saw", "rake"}


def test_a_first_cell_with_bars_is_several_rows() -> None:
    library = make(tables="name kind\noak | elm => tree\nrose => flower")
    assert len(library.tables["pair"].rows) == 3


def test_weights_and_optional_text() -> None:
    library = make("often: 9* yes | no")
    answers = [say("<often>", library, seed) for seed in range(300)]
    assert 220 < answers.count("Yes") < 300
    assert {say("tea(, please|).", library, seed) for seed in range(20)} == {"Tea.", "Tea, please."}


def test_fresh_scope_forgets() -> None:
    library = make("letter: a | b | c | d\npair_of: <letter#x><letter#x>")
    texts = [say("<letter#x> <*pair_of>", library, seed).lower() for seed in range(20)]
    assert all(text[2] == text[3] for text in texts)
    assert {text[0] == text[2] for text in texts} == {True, False}


@pytest.mark.parametrize(
    ("raw", "finished"),
    [
        ("a(n) apple and a(n) pear", "An apple and a pear"),
        ("A(n) hour, a(n) unit, a(n) unusual umbrella", "An hour, a unit, an unusual umbrella"),
        ('a(n) "owl", a(n) 8 and a(n) European', 'An "owl", an 8 and a European'),
        ("yes. no? oh! it is 5.30 now", "Yes. No? Oh! It is 5.30 now"),
        ('"really?" she said', '"Really?" she said'),
        (r"list:\n1. one\n- two", "List:\n1. One\n- Two"),
        ("tea (hot) , and  cake , .", "Tea (hot), and cake."),
    ],
)  # fmt: skip
def test_finishing_touches(raw: str, finished: str) -> None:
    assert say(raw, Library()) == finished


def test_facts_fill_slots() -> None:
    assert say("it is <@total>", Library(), facts={"total": "7"}) == "It is 7"


@pytest.mark.parametrize(
    ("text", "cause"), [("(a|b", "unbalanced"), ("<nothing>", "no rule"), ("<a.b>", "no cell")]
)
def test_what_does_not_fit_together_is_named(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        say(text, Library())


def test_rows_of_the_wrong_length_and_double_names_are_named() -> None:
    with pytest.raises(ValueError, match="pair has 2 columns, not so the row"):
        make(tables="a b\none => two => three")
    library = make("fruit: fig")
    with pytest.raises(ValueError, match="fruit is defined twice"):
        library.add("other", {"nouns": {"fruit": "fig"}})


def test_a_rule_may_have_several_lines() -> None:
    references: list[Rule | Cell] = []
    node = parse_rule(["red | green", "blue"], references)
    assert {render(node, Scope(Random(seed).random, {})) for seed in range(30)} == {"Red", "Green", "Blue"}


def test_a_folder_of_texts_loads(tmp_path: Path) -> None:
    (tmp_path / "talk.yaml").write_text(
        "phrases:\n  act: |\n    <go.FORM> home\n"
        "verbs:\n  go: go went gone\n"
        "scenarios:\n  ask:\n    weight: 2\n"
        "    turns: |\n      U: did he\n        <act.base#a>?\n      A: He <act.past#a>.\n",
        "utf-8",
    )
    scenario = load_library(tmp_path).scenarios["ask"]
    scope = Scope(Random(0).random, {})
    assert render(scenario.turns[0].user, scope) == "Did he go home?"
    assert render(scenario.turns[0].assistant, scope) == "He went home."
    assert scenario.weight == 2 and scenario.topic == "talk"


@pytest.mark.parametrize(
    ("entry", "forms"),
    [
        ("walk", "walk walks walked walking"),
        ("stop+", "stop stops stopped stopping"),
        ("carry", "carry carries carried carrying"),
        ("bake", "bake bakes baked baking"),
        ("lie lay lain", "lie lies lay lying"),
        ("go went gone", "go goes went going"),
        ("play", "play plays played playing"),
        ("wash", "wash washes washed washing"),
        ("run+ ran run", "run runs ran running"),
        ("see saw seen", "see sees saw seeing"),
    ],
)
def test_verb_forms(entry: str, forms: str) -> None:
    base, third, past, _, ing = verb_forms(entry)
    assert f"{base} {third} {past} {ing}" == forms


def test_noun_forms() -> None:
    assert noun_forms("box") == ("box", "boxes")
    assert noun_forms("berry") == ("berry", "berries")
    assert noun_forms("knife/knives") == ("knife", "knives")
