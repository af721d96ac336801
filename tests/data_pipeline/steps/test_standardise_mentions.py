import copy
import re
from pathlib import Path
from typing import Any

import pytest
from datatrove.data import Document
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common.errors import UserError
from data_pipeline.steps.config import MentionsConfig
from data_pipeline.steps.mentions import Mentions, read_names, tidy_url
from data_pipeline.steps.standardise_mentions import StandardiseMentions

NAMES = {
    "Attack on Titan": ["AoT", "Titan", "attack on titans", "進撃"],
    "One Piece": ["onepiece", "OP", "ワンピ", "ワンピース"],
    "MangaBox+": ["manga box plus", "mangabox plus", "MB+"],
    "C++ Primer": ["c++"],
    "https://shop.example/returns": ["http://www.shop.example/returns.html", "www.shop.example/ret"],
}


@pytest.mark.parametrize(
    ("text", "expected", "changed"),
    [
        ("Is AoT 3 in?", "Is Attack on Titan 3 in?", 1),
        ("aot, AOT. (aot)", "Attack on Titan, Attack on Titan. (Attack on Titan)", 3),
        ("Attack on Titan", "Attack on Titan", 0),
        ("ATTACK  on\nTitan", "Attack on Titan", 1),
        ("attack on titans and titan", "Attack on Titan and Attack on Titan", 2),
        ("titanic, paot, aots, aot3, _aot", "titanic, paot, aots, aot3, _aot", 0),
        ("AoT's and AoT-fans", "Attack on Titan's and Attack on Titan-fans", 2),
        ("OnePieceの3巻", "One Pieceの3巻", 1),
        ("昨日OPを買った", "昨日One Pieceを買った", 1),
        ("ワンピースの本、ワンピは？", "One Pieceの本、One Pieceは？", 2),
        ("ワンピースカード", "ワンピースカード", 0),
        ("新進撃第3巻", "新Attack on Titan第3巻", 1),
        ("manga box plus/MB+?", "MangaBox+/MangaBox+?", 2),
        ("MangaBox PLUS!", "MangaBox+!", 1),
        ("the C++ book, c++.", "the C++ Primer book, C++ Primer.", 2),
        ("aot@example.org and AOT@x.example.org", "aot@example.org and AOT@x.example.org", 0),
        ("https://shop.example/aot?q=op", "https://shop.example/aot?q=op", 0),
        ("See http://WWW.shop.example/returns.html.", "See https://shop.example/returns.", 1),
        ("(www.Shop.example/ret)", "(https://shop.example/returns)", 1),
        (
            "http://www.shop.example/returns.html?utm_source=mail&utm_medium=x",
            "https://shop.example/returns",
            1,
        ),
        ("", "", 0),
    ],
)
def test_variants_become_the_canonical_form(text: str, expected: str, changed: int) -> None:
    assert Mentions(NAMES).standardise(text) == (expected, changed)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Shop.Example/Path?A=b", "https://shop.example/Path?A=b"),
        ("https://a.example/?utm_source=x", "https://a.example/"),
        ("https://a.example/p?UTM_Source=x&id=3&gclid=9#top", "https://a.example/p?id=3#top"),
        ("https://a.example/p?id=utm_source&fbclid", "https://a.example/p?id=utm_source"),
        ("https://a.example/p?a=%26utm_x&b=&c", "https://a.example/p?a=%26utm_x&b=&c"),
        ("https://a.example?#x", "https://a.example#x"),
        ("www.A.example", "www.a.example"),
    ],
)
def test_addresses_lose_what_tells_where_a_click_came_from(url: str, expected: str) -> None:
    assert tidy_url(url) == expected
    assert tidy_url(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("（https://A.example/x?utm_id=1）を見て", "（https://a.example/x）を見て"),
        ("<https://A.example/x?utm_id=1>, or", "<https://a.example/x>, or"),
        ("https://A.example/wiki/One_(1)?", "https://a.example/wiki/One_(1)?"),
        ("(https://A.example/wiki/One_(1))", "(https://a.example/wiki/One_(1))"),
        ("me@www.A.example", "me@www.A.example"),
    ],
)
def test_punctuation_around_an_address_is_none_of_it(text: str, expected: str) -> None:
    assert Mentions({"x": []}).standardise(text)[0] == expected


def test_a_variant_of_two_names_is_told() -> None:
    with pytest.raises(UserError, match="'Titan' is a variant of 'B' and of 'A'"):
        Mentions({"A": ["titan"], "B": ["Titan"]})
    with pytest.raises(UserError, match="'a' is a variant of 'B' and of 'A'"):
        Mentions({"A": [], "B": ["a"]})


TABLES = st.dictionaries(
    st.text("abAB あアカ漢+ -", min_size=1, max_size=5).filter(str.strip),
    st.lists(st.text("abAB あアカ漢+ -", min_size=1, max_size=5).filter(str.strip), max_size=3),
    min_size=1,
    max_size=6,
)


def by_hand(names: dict[str, list[str]], text: str) -> str:
    """The same, slowly: at each place the longest variant that stands there as a word."""
    forms = {" ".join(v.lower().split()): name for name in names for v in (name, *names[name])}

    def is_part(inside: str, outside: str) -> bool:
        kinds = [r"[ア-ヿ]", r"[^\W぀-ヿ㐀-鿿]"]
        return any(re.match(kind, inside) and re.match(kind, outside) for kind in kinds)

    done, at = "", 0
    while at < len(text):
        for end in range(len(text), at, -1):
            piece = text[at:end]
            form = " ".join(piece.lower().split())
            if piece[0].isspace() or piece[-1].isspace() or form not in forms:
                continue
            if (at and is_part(piece[0], text[at - 1])) or (
                end < len(text) and is_part(piece[-1], text[end])
            ):
                continue
            done, at = done + forms[form], end
            break
        else:
            done, at = done + text[at], at + 1
    return done


@given(TABLES, st.text("abAB あアカ漢+ -\n", max_size=16))
def test_one_pattern_finds_what_a_slow_search_finds(names: dict[str, list[str]], text: str) -> None:
    try:
        mentions = Mentions(names)
    except UserError:
        return
    assert mentions.standardise(text)[0] == by_hand(names, text)


@given(st.text())
def test_text_without_names_and_addresses_is_unchanged(text: str) -> None:
    if "http" not in text.lower() and "www" not in text.lower():
        assert Mentions({"qqqq zzzz": ["qqqz", "ｑｑ"]}).standardise(text)[0] == text


def test_thousands_of_names_make_one_pattern() -> None:
    names = {f"Series Number {n}": [f"s{n}", f"SN-{n}"] for n in range(5000)}
    mentions = Mentions(names)
    text, changed = mentions.standardise("s17 and sn-4999 but not s5000 or xs1 " * 100)
    assert changed == 200
    assert text.startswith("Series Number 17 and Series Number 4999 but not s5000 or xs1 ")
    assert Mentions({"x": ["a" * 3000, "a" * 3000 + "b"]}).standardise("a" * 3000 + "b") == ("x", 1)


def test_the_step_counts_and_leaves_tools_alone(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("One Piece: [OP]\n進撃の巨人:\n  - AoT\n", encoding="utf-8")
    step = StandardiseMentions(MentionsConfig(table=tmp_path / "names.yaml", names={"Bleach": ["BLCH"]}))
    messages: list[Any] = [
        {"role": "system", "content": "OP"},
        {"role": "user", "content": "OP, aot, blch"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"function": {"name": "find", "arguments": "OP"}}],
        },
        {"role": "tool", "content": "OP"},
        {"role": "assistant", "content": "op!"},
        "odd",
    ]
    before = copy.deepcopy(messages)
    (done,) = step.run(iter([Document(text="", id="x", metadata={"messages": messages})]))
    assert done.metadata["mentions_standardised"] == 4
    assert done.metadata["messages"] == [
        before[0],
        {"role": "user", "content": "One Piece, 進撃の巨人, Bleach"},
        *before[2:4],
        {"role": "assistant", "content": "One Piece!"},
        "odd",
    ]
    (done,) = step.run(iter([Document(text="", id="x", metadata={"messages": None})]))
    assert (done.metadata["messages"], done.metadata["mentions_standardised"]) == (None, 0)


@pytest.mark.parametrize(
    "table", ["- a\n", "a: b\n", "a: [1]\n", "1: [a]\n", "a: [", "a: ['']\n", "\xff", ""]
)
def test_a_table_of_another_form_is_told(tmp_path: Path, table: str) -> None:
    (tmp_path / "names.yaml").write_bytes(table.encode("latin-1"))
    with pytest.raises(UserError, match="is no table of names"):
        read_names(MentionsConfig(table=tmp_path / "names.yaml"))


def test_a_name_may_not_be_in_both_and_one_has_to_be_given(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("A: [b]\n")
    with pytest.raises(UserError, match="'A' is both in names and in"):
        read_names(MentionsConfig(table=tmp_path / "names.yaml", names={"A": ["c"]}))
    with pytest.raises(ValidationError, match="give a table, or names"):
        MentionsConfig()
