"""Labelled messages: shares, labels that are true to the text, and parts that share no sentence."""

import re
from collections import Counter
from math import sqrt
from typing import get_args

import pytest

from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import has_japanese, walk
from data_pipeline.sample.label_models import LowQualityKind
from data_pipeline.sample.message_rows import MessageRows
from data_pipeline.sample.messages import MessageWriter
from data_pipeline.sample.models import FEELINGS
from data_pipeline.sample.rates import Rates
from data_pipeline.sample.shares import INTENT_SHARES, SENTIMENT_SHARES
from data_pipeline.sample.splits import (
    SPLITS,
    Split,
    split_everyday,
    split_foreign,
    split_remarks,
    split_requests,
)
from tests.data_pipeline.sample.made import Made


@pytest.fixture(scope="module")
def rows(content: Content) -> MessageRows:
    return MessageRows(MessageWriter(content, 7, Rates()))


@pytest.fixture(scope="module")
def train(rows: MessageRows) -> Made:
    return [rows.row("train", index) for index in range(4000)]


@pytest.fixture(scope="module")
def test_part(rows: MessageRows) -> Made:
    return [rows.row("test", index) for index in range(1500)]


def near(count: float, total: int, rate: float) -> bool:
    return abs(count - total * rate) <= 4 * sqrt(total * rate * (1 - rate)) + 0.5


def test_intents_have_the_stated_shares(train: Made) -> None:
    own_language = [truth for row, truth in train if row["language"] in ("en", "ja-en")]
    counts = Counter(truth["intents"][0] for truth in own_language)

    assert sum(INTENT_SHARES.values()) == pytest.approx(1)
    off = {
        name: counts[name]
        for name, share in INTENT_SHARES.items()
        if not near(counts[name], len(own_language), share)
    }
    assert not off


def test_sentiments_have_the_stated_shares(train: Made) -> None:
    own_language = [truth for row, truth in train if row["language"] in ("en", "ja-en")]
    counts = Counter(tuple(truth["sentiment"]) for truth in own_language)

    assert sum(SENTIMENT_SHARES.values()) == pytest.approx(1)
    for feelings, share in SENTIMENT_SHARES.items():
        key = tuple(name for name in FEELINGS if name in feelings) or ("neutral",)
        assert near(counts[key], len(own_language), share), key


def test_everything_is_planted_at_the_stated_rate(train: Made) -> None:
    rates, count = Rates(), len(train)
    synthetic = sum(row["source"] == "synthetic" for row, _ in train)
    planted = {
        "exact_duplicate": sum(truth["duplicate_of"] is not None for _, truth in train),
        "near_duplicate": sum(truth["near_duplicate_of"] is not None for _, truth in train),
        "multi_intent": sum(len(truth["intents"]) == 2 for _, truth in train),
        "japanese_mixed": sum(truth["mixes_japanese"] for _, truth in train),
        "other_language": sum(row["language"] not in ("en", "ja-en") for row, _ in train),
        "label_noise": sum("intent" in truth["noisy_labels"] for _, truth in train),
        "synthetic": synthetic,
    }
    assert not {kind: n for kind, n in planted.items() if not near(n, count, getattr(rates, kind))}
    spoilt = Counter(truth["low_quality"] for _, truth in train if truth["low_quality"])
    assert near(spoilt.total(), synthetic, rates.low_quality)
    assert set(spoilt) == set(get_args(LowQualityKind))


def test_labels_are_the_truth_except_where_noise_is_planted(train: Made, test_part: Made) -> None:
    for row, truth in (*train, *test_part):
        noisy = truth["noisy_labels"]
        assert (row["intent"] != truth["intents"][0]) == ("intent" in noisy)
        assert (row["sentiment"] != truth["sentiment"]) == ("sentiment" in noisy)
        assert row["second_intent"] == (truth["intents"][1] if len(truth["intents"]) == 2 else None)
        assert ("neutral" in row["sentiment"]) <= (row["sentiment"] == ["neutral"])


def test_the_test_part_is_clean(test_part: Made) -> None:
    assert not any(truth["noisy_labels"] or truth["low_quality"] for _, truth in test_part)
    assert {row["source"] for row, _ in test_part} == {"production"}


def test_repeats_repeat_an_earlier_message(train: Made) -> None:
    texts = {row["id"]: row["text"] for row, _ in train}
    for row, truth in train:
        if truth["duplicate_of"]:
            assert texts[truth["duplicate_of"]] == row["text"]
            assert truth["duplicate_of"] < row["id"]
        if truth["near_duplicate_of"]:
            assert texts[truth["near_duplicate_of"]] != row["text"]


def test_mixed_messages_hold_japanese(train: Made) -> None:
    for row, truth in train:
        if truth["mixes_japanese"] and not truth["low_quality"]:
            assert has_japanese(row["text"]), row["id"]


def test_personal_data_is_where_the_truth_says_and_nowhere_else(train: Made) -> None:
    pattern = re.compile(r"\w@\w|555.01|MA-\d|TR\d{6}")
    count = 0
    for row, truth in train:
        text = row["text"]
        for span in reversed(truth["pii"]):
            assert text[span["start"] : span["end"]] == span["text"]
            text = text[: span["start"]] + text[span["end"] :]
            count += 1
        if not truth["near_duplicate_of"]:
            assert not pattern.search(text), row["id"]
    assert count > 200


def test_what_japanese_customers_add_expresses_no_feeling(content: Content) -> None:
    cues = re.compile("急|困|楽し|大好き|残念|ひど|嬉し|助けて")

    for line in content.phrases.japanese_aside:
        assert not cues.search(" ".join(part for part in walk(line) if isinstance(part, str)))


def test_a_language_does_not_tell_the_intent(content: Content) -> None:
    for part in split_foreign(content.foreign).values():
        for language in {entry.language for entry in part}:
            assert len({entry.intent for entry in part if entry.language == language}) >= 3


# --- parts


def test_held_out_situations_are_in_the_test_part_alone(content: Content) -> None:
    requests = split_requests(content.situations)
    held_out = {s.name for s in content.situations if s.held_out}
    names = {split: {request.name for request in requests[split]} for split in SPLITS}

    assert not held_out & (names["train"] | names["validation"])
    assert held_out <= names["test"]
    assert names["train"] == names["validation"] == names["test"] - held_out


def test_every_line_is_in_one_part(content: Content) -> None:
    requests = split_requests(content.situations)
    lines = [line for split in SPLITS for request in requests[split] for line in request.openers]
    entries = [request for part in split_everyday(content.everyday).values() for request in part]
    remarks = [remark for part in split_remarks(content.implied_remarks).values() for remark in part]

    assert len(lines) == sum(len(situation.openers) for situation in content.situations)
    assert len(entries) == len(content.everyday)
    assert len(remarks) == len(content.implied_remarks)


def test_no_sentence_stands_in_two_parts(content: Content) -> None:
    parts = [split_requests(content.situations), split_everyday(content.everyday)]
    remarks = split_remarks((*content.plain_remarks, *content.implied_remarks))

    def sentences(split: Split) -> set[str]:
        lines = [line for part in parts for r in part[split] for line in (*r.openers, *r.japanese)]
        lines += [line for remark in remarks[split] for line in remark.lines]
        literals = [part for line in lines for part in walk(line) if isinstance(part, str)]
        stripped = {literal.strip(" .,:;!?").lower() for literal in literals}
        return {literal for literal in stripped if len(literal.split()) >= 7}

    train, validation, test = map(sentences, SPLITS)
    assert not train & test
    assert not train & validation
    assert not validation & test


def test_every_feeling_can_be_expressed_in_every_part(rows: MessageRows) -> None:
    """Otherwise a message would have to be left without its label, or never be written."""
    for split in SPLITS:
        for index in range(300):
            rows.row(split, index)


def test_another_seed_shares_no_message(content: Content, train: Made) -> None:
    other = MessageRows(MessageWriter(content, 8, Rates()))
    texts = {other.row("train", index)[0]["text"] for index in range(1000)}
    shared = texts & {row["text"] for row, _ in train}

    assert len(shared) / 1000 < 0.06, "short messages may coincide, no more"


# --- written by hand


def test_hand_written_messages(content: Content) -> None:
    messages = content.handwritten.messages
    usual = [message for message in messages if not message.hard]
    hard = [message for message in messages if message.hard]

    assert len(usual) >= 300
    assert len(hard) >= 100
    assert len({message.text.lower() for message in messages}) == len(messages)
    assert {message.intent for message in usual} == {message.intent for message in hard} == set(INTENT_SHARES)
    assert {name for message in messages for name in message.sentiment} == {*FEELINGS, "neutral"}
    assert all(m.sentiment == ("neutral",) or "neutral" not in m.sentiment for m in messages)


def test_hand_written_messages_are_not_from_the_generator(content: Content) -> None:
    lines = [line for s in content.situations for line in (*s.openers, *s.japanese)]
    literals = {part.strip().lower() for line in lines for part in walk(line) if isinstance(part, str)}
    long = {literal for literal in literals if len(literal.split()) >= 7}

    assert not [m.text for m in content.handwritten.messages if any(part in m.text.lower() for part in long)]
