"""ROUGE-L equals rouge-score on ASCII, and sees Japanese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer

from eval.rouge import most_typical, rouge_l, tokenize

WORDS = [
    "Refunds",
    "take",
    "5-7",
    "days",
    "don't",
    "returned",
    "order_12",
    "e.g.",
    "volumes",
    "the",
    "\n",
    "…",
]
ASCII = st.text(st.characters(codec="ascii"))


@given(ASCII)
def test_ascii_tokens_are_those_of_rouge_score(text):
    assert tokenize(text) == DefaultTokenizer(use_stemmer=True).tokenize(text)


@given(*[st.lists(st.sampled_from(WORDS[:-1])).map(" ".join)] * 2)
def test_ascii_scores_are_those_of_rouge_score(reference, candidate):
    expected = RougeScorer(["rougeL"], use_stemmer=True).score(reference, candidate)["rougeL"].fmeasure
    assert rouge_l([reference], [candidate]) == [expected]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("送料は500円です。", ["送", "料", "は", "500", "円", "で", "す"]),
        ("ＯＫ、１２巻", ["ok", "12", "巻"]),
        ("コーヒー々〆", list("コーヒー々〆")),
        ("Die Größe paßt", ["die", "größe", "paßt"]),
        ("café_refunds", ["café", "refund"]),
        ("주문은 어디", ["주문은", "어디"]),
        ("👍 …!", []),
        ("𠮷野家", ["𠮷", "野", "家"]),
    ],
)
def test_tokens_of_other_scripts(text, tokens):
    assert tokenize(text) == tokens


def test_japanese_is_compared_by_characters():
    # Of 7 and 6 characters, the longest common subsequence is 返金は日です without 五: 5 of them.
    [score] = rouge_l(["返金は五日です"], ["返金は日だ"])
    assert score == pytest.approx(2 * (4 / 5) * (4 / 7) / (4 / 5 + 4 / 7))
    assert rouge_l(["返金は五日です"], ["返金は五日です"]) == [1.0]


def test_an_empty_reply_scores_nothing():
    assert rouge_l(["Refunds take a week", "👍"], ["", "👍"]) == [0.0, 0.0]


def test_the_most_typical_reply():
    replies = [
        "Refunds take a week.",
        "You're welcome, have a nice day!",
        "Thank you, have a nice day!",
        "Yes.",
    ]
    assert most_typical(replies) == "Thank you, have a nice day!"


def test_of_equally_typical_replies_the_first():
    assert most_typical(["yes", "no"]) == "yes"
