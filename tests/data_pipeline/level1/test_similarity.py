import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.level1.config import NearDuplicates
from data_pipeline.level1.similarity import Text, changed_words, jaccard, nearly_same

CONFIG = NearDuplicates()
LONG = "i bought the first volume last week and half of its pages are upside down what can i do about it"


def same(a: str, b: str) -> bool:
    return nearly_same(Text(a), Text(b), CONFIG)


@pytest.mark.parametrize(
    ("a", "b", "is_same"),
    [
        ("when does my parcel arrive", "when does my parcel arive", True),
        ("when does my parcel arrive", "when does the parcel arrive", True),
        ("when does my parcel arrive", "when does my refund arrive", False),  # one long word of five
        ("do you have volume 3 of moth season", "do you have volume 4 of moth season", False),
        (f"{LONG} 3", f"{LONG} 4", True),
        (LONG, LONG.replace("bought", "got").replace("half", "most").replace("week", "month"), True),
        (LONG, " ".join(reversed(LONG.split())), False),
        ("", "", True),
        ("", "thanks", False),
        ("注文した漫画がまだ届いていません", "注文した本がまだ届いていません", True),
        ("注文した漫画がまだ届いていません", "予約した漫画はもう発売されましたか", False),
    ],
)
def test_nearly_the_same(a: str, b: str, is_same: bool) -> None:
    assert same(a, b) is is_same
    assert same(b, a) is is_same


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("a b c d", "a b c d", 0),
        ("a b c d", "a x c d", 1),
        ("a b c d", "a c d", 1),
        ("a b c d", "a c b d", 1),
        ("a b c d", "d c b a", 3),
        ("a 1 c d", "a 2 c d", 3),
        ("a 1 2 d", "a 2 1 d", 1),
        ("a a a", "a", 2),
        ("", "", 0),
    ],
)
def test_changed_words(a: str, b: str, words: int) -> None:
    assert changed_words(Text(a), Text(b)) == changed_words(Text(b), Text(a)) == words


WORDS = st.lists(st.sampled_from(["a", "b", "c", "1", "22", "漢"]), max_size=12).map(" ".join)


def _longest_common(a: list[str], b: list[str]) -> int:
    lengths = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for index, y in enumerate(b, 1):
            above = lengths[index]
            lengths[index] = diagonal + 1 if x == y else max(above, lengths[index - 1])
            diagonal = above
    return lengths[-1]


@given(WORDS, WORDS)
def test_bits_count_as_a_table_does(a: str, b: str) -> None:
    one, two = Text(a), Text(b)
    one.numbers, two.numbers = [], []
    expected = max(len(one.words), len(two.words)) - _longest_common(one.words, two.words)
    assert changed_words(one, two) == expected


@given(WORDS, WORDS)
def test_the_short_cut_changes_nothing(a: str, b: str) -> None:
    one, two = Text(a), Text(b)
    allowed = max(1, CONFIG.changed_words * max(len(one.words), len(two.words)))
    similar = jaccard(one.shingles, two.shingles) >= CONFIG.similarity
    assert same(a, b) == (a == b or (similar and changed_words(one, two) <= allowed))


@given(st.text("abc ", max_size=30), st.text("abc ", max_size=30))
def test_jaccard(a: str, b: str) -> None:
    one, two = ({text[i : i + 5] for i in range(max(len(text) - 4, 1))} for text in (a, b))
    assert jaccard(Text(a).shingles, Text(b).shingles) == len(one & two) / len(one | two)
