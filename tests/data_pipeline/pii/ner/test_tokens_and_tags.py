import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.pii.ner.features import Features, shape
from data_pipeline.pii.ner.tags import ENTITY_TYPES, TAGS, decode, encode
from data_pipeline.pii.ner.tokens import (
    LOWER_CASE,
    MIXED_CASE,
    NEW_LINE,
    NO_SPACE,
    SPACE,
    START,
    UPPER_CASE,
    tokenize,
)
from data_pipeline.pii.spans import Span


def scores_of(numbers: list[int]) -> np.ndarray:
    """Scores that are sure of these tags."""
    scores = np.zeros((len(numbers), len(TAGS)), dtype=np.float32)
    scores[np.arange(len(numbers)), numbers] = 20
    return scores


def test_letters_digits_and_signs_are_tokens_of_their_own() -> None:
    tokens = tokenize("Anna's\nApt.12 東京_x")

    assert tokens.words == ["Anna", "'", "s", "Apt", ".", "12", "東", "京", "_", "x"]
    assert tokens.gaps[:6] == [START, NO_SPACE, NO_SPACE, NEW_LINE, NO_SPACE, NO_SPACE]
    assert tokens.gaps[6] == SPACE
    assert [tokenize(text).case for text in ("hi 12", "HI 12", "Hi")] == [LOWER_CASE, UPPER_CASE, MIXED_CASE]


@given(st.text())
def test_tokens_keep_their_place_and_leave_nothing_but_white_space_out(text: str) -> None:
    tokens = tokenize(text)
    covered = set()
    for start, word in zip(tokens.starts, tokens.words, strict=True):
        assert text[start : start + len(word)] == word
        covered.update(range(start, start + len(word)))

    assert all(text[i].isspace() for i in range(len(text)) if i not in covered)


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from([None, *ENTITY_TYPES])), max_size=8))
def test_spans_survive_being_made_tags_and_back(runs: list[tuple[int, str | None]]) -> None:
    words: list[str] = []
    wanted = []
    for length, kind in runs:
        start = len(" ".join([*words, ""]))
        words += ["word"] * length
        if kind:
            wanted.append((start, len(" ".join(words)), kind))
    tokens = tokenize(" ".join(words))
    spans = [Span(*span, 1.0) for span in wanted]

    found = decode(tokens, scores_of(encode(tokens, spans))) if words else []

    assert [(s.start, s.end, s.entity_type) for s in found] == wanted
    assert all(span.score > 0.99 for span in found)


def test_tags_that_cannot_follow_each_other_become_the_best_ones_that_can() -> None:
    tokens = tokenize("Jane Field wrote")
    begin, end = TAGS.index("B-PERSON"), TAGS.index("E-LOCATION")
    scores = scores_of([begin, end, 0])
    scores[1, TAGS.index("E-PERSON")] = 19

    assert [(s.start, s.end, s.entity_type) for s in decode(tokens, scores)] == [(0, 10, "PERSON")]


@pytest.mark.parametrize(
    ("word", "expected"), [("Smith", "Xxxxx"), ("ID", "XX"), ("123456", "dddd"), ("McKay", "XxXxx")]
)
def test_shape(word: str, expected: str) -> None:
    assert shape(word) == expected


def test_a_word_is_split_into_the_longest_known_pieces_without_accents() -> None:
    features = Features(["[PAD]", "bjor", "##k", "b", "[UNK]"])

    ids = features.of(tokenize("Björk"))

    assert ids.pieces.tolist() == [[1, 2]]
    assert ids.words.shape == (1, 9)


def test_signs_alone_are_no_name() -> None:
    tokens = tokenize("\ufeff Jane --")
    single = TAGS.index("S-PERSON")

    found = decode(tokens, scores_of([single, single, single, 0]))

    assert [(s.start, s.end) for s in found] == [(2, 6)]
