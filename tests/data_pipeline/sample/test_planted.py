"""What is planted in tickets: it is there, at the stated rate, and the truth says exactly where."""

import html
import re
from collections import Counter
from difflib import SequenceMatcher
from math import sqrt
from typing import Any, get_args

import pytest

from data_pipeline.sample.company import Content
from data_pipeline.sample.generate import Sample
from data_pipeline.sample.grammar import has_japanese
from data_pipeline.sample.label_models import BadAnswerKind
from data_pipeline.sample.rates import Rates
from tests.data_pipeline.sample.made import Made, bodies, public


def words(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def tolerance(count: int, rate: float) -> float:
    """Four standard deviations of a count of independent draws, and a little for tiny rates."""
    return 4 * sqrt(count * rate * (1 - rate)) + 0.5


# --- personal data


def test_truth_spans_are_exact(tickets: Made, unseen: Made) -> None:
    for ticket, truth in (*tickets, *unseen):
        texts = {comment["id"]: comment["body"] for comment in ticket["comments"]}
        for span in truth["pii"]:
            assert texts[span["comment_id"]][span["start"] : span["end"]] == span["text"]
            assert html.unescape(span["text"]) == span["value"]


def test_no_personal_data_outside_the_spans(tickets: Made) -> None:
    for ticket, truth in tickets:
        first_name = ticket["requester"]["name"].split()[0]
        pattern = re.compile(rf"\w@\w|555.01|MA-\d|TR\d{{6}}|\b{first_name}\b")
        for comment in ticket["comments"]:
            text = comment["body"]
            for span in reversed([span for span in truth["pii"] if span["comment_id"] == comment["id"]]):
                text = text[: span["start"]] + text[span["end"] :]
            assert not pattern.search(text), (ticket["id"], pattern.pattern)


def test_all_kinds_of_personal_data_are_planted(tickets: Made) -> None:
    kinds = Counter(span["kind"] for _, truth in tickets for span in truth["pii"])

    assert set(kinds) == {
        "name",
        "email",
        "phone",
        "address",
        "order_number",
        "tracking_number",
        "agent_name",
    }
    assert min(kinds.values()) > 50


def test_personal_data_is_from_reserved_ranges(tickets: Made) -> None:
    for _, truth in tickets:
        for span in truth["pii"]:
            if span["kind"] == "email":
                assert re.fullmatch(r"[a-z0-9_.]+@example\.(com|org|net)", span["value"])
            if span["kind"] == "phone":
                assert re.search(r"555[-. ]01\d\d$", span["value"])


# --- repeats


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.25])
def test_duplicates_at_the_stated_rate(content: Content, rate: float) -> None:
    sample = Sample(content, 7, Rates(exact_duplicate=rate, near_duplicate=0))
    made = [sample.ticket(index) for index in range(400)]
    by_id = {ticket["id"]: (ticket, truth) for ticket, truth in made}
    duplicates = [(ticket, truth) for ticket, truth in made if truth["duplicate_of"] is not None]

    assert abs(len(duplicates) - 400 * rate) <= tolerance(400, rate)
    for ticket, truth in duplicates:
        original, its_truth = by_id[truth["duplicate_of"]]
        assert bodies(ticket) == bodies(original)
        assert ticket["requester"] == original["requester"]
        assert ticket["created_at"] > original["created_at"]
        assert its_truth["duplicate_of"] is None


def test_near_duplicates_are_nearly_the_same(content: Content) -> None:
    sample = Sample(content, 7, Rates(exact_duplicate=0, near_duplicate=0.1))
    made = [sample.ticket(index) for index in range(400)]
    by_id = {ticket["id"]: ticket for ticket, _ in made}
    pairs = [
        (" ".join(bodies(ticket)), " ".join(bodies(by_id[truth["near_duplicate_of"]])))
        for ticket, truth in made
        if truth["near_duplicate_of"]
    ]
    alike = [SequenceMatcher(None, one.split(), two.split(), autojunk=False).ratio() for one, two in pairs]

    assert abs(len(pairs) - 40) <= tolerance(400, 0.1)
    assert all(one != two for one, two in pairs)
    assert min(alike) > 0.7
    assert 0.85 < sum(alike) / len(alike) < 0.99


def test_only_planted_duplicates_repeat_a_dialogue(originals: list[dict[str, Any]]) -> None:
    first_messages = Counter(ticket["comments"][0]["body"] for ticket in originals)

    assert len({bodies(ticket) for ticket in originals}) == len(originals)
    assert len(first_messages) / len(originals) > 0.99


# --- what goes wrong, and what makes messages hard


def test_everything_is_planted_at_the_stated_rate(tickets: Made) -> None:
    rates, count = Rates(), len(tickets)
    planted = {
        "japanese_mixed": sum(truth["mixes_japanese"] for _, truth in tickets),
        "other_language": sum(truth["language"] not in ("en", "ja-en") for _, truth in tickets),
        "multi_intent": sum(len(truth["intents"]) == 2 for _, truth in tickets),
        "bad_answer": sum(truth["bad_answer"] is not None for _, truth in tickets),
        "contradicting_answer": sum(truth["contradiction"] is not None for _, truth in tickets),
        "exact_duplicate": sum(truth["duplicate_of"] is not None for _, truth in tickets),
        "near_duplicate": sum(truth["near_duplicate_of"] is not None for _, truth in tickets),
    }
    off = {
        kind: (number, count * getattr(rates, kind))
        for kind, number in planted.items()
        if abs(number - count * getattr(rates, kind)) > tolerance(count, getattr(rates, kind))
    }
    assert not off


def test_who_mixes_japanese_in_writes_some(tickets: Made) -> None:
    for ticket, truth in tickets:
        first = ticket["comments"][0]["body"]
        if truth["mixes_japanese"] and truth["near_duplicate_of"] is None:
            assert has_japanese(first), ticket["id"]
        elif truth["language"] == "en":
            assert not has_japanese(first)


def test_a_contradiction_states_another_value_than_the_article(content: Content, tickets: Made) -> None:
    wrong = [(ticket, truth) for ticket, truth in tickets if truth["contradiction"]]
    for ticket, truth in wrong:
        entry = truth["contradiction"]
        assert content.facts[entry["fact"]] == entry["right"] != entry["stated"]
        assert truth["answer_comment_id"] in entry["comment_ids"]
        if truth["near_duplicate_of"] is None:
            texts = {comment["id"]: comment["body"] for comment in ticket["comments"]}
            stated = html.escape(entry["stated"])
            for number in entry["comment_ids"]:
                assert entry["stated"] in texts[number] or stated in texts[number] or ("," in entry["stated"])
    assert len({truth["contradiction"]["fact"] for _, truth in wrong}) > 25


def test_bad_answers_are_of_all_kinds_and_rated_badly(tickets: Made) -> None:
    bad = [(ticket, truth) for ticket, truth in tickets if truth["bad_answer"]]
    scores = Counter(ticket["satisfaction_rating"]["score"] for ticket, _ in bad)
    good = Counter(
        ticket["satisfaction_rating"]["score"] for ticket, truth in tickets if not truth["bad_answer"]
    )

    assert {truth["bad_answer"] for _, truth in bad} == set(get_args(BadAnswerKind))
    assert scores["bad"] > 2 * scores["good"]
    assert good["good"] > 2 * good["bad"]


def test_a_second_request_is_of_another_intent_and_article(tickets: Made) -> None:
    for _, truth in tickets:
        if len(truth["intents"]) == 2:
            assert truth["intents"][0] != truth["intents"][1]
            assert truth["second_article"] not in (None, truth["article"])


# --- internal notes


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_internal_notes_are_planted_and_never_public(content: Content, rate: float) -> None:
    sample = Sample(content, 7, Rates(internal_note=rate, other_language=0))
    made = [sample.ticket(index) for index in range(400)]
    with_notes = sum(truth["internal_notes"] > 0 for _, truth in made)

    assert with_notes / len(made) == pytest.approx(rate, abs=0.06)
    for ticket, truth in made:
        notes = [comment for comment in ticket["comments"] if not comment["public"]]
        assert len(notes) == truth["internal_notes"]
        assert all(note["author_id"] == ticket["assignee_id"] for note in notes)
        assert ticket["comments"][0]["public"]


def test_notes_are_said_nowhere_else(content: Content, tickets: Made) -> None:
    note_words = re.compile("Macro used|No promise made|Nothing promised|Handing over to|Goodwill")
    spoken = [comment["body"] for ticket, _ in tickets for comment in public(ticket)]
    notes = [c["body"] for ticket, _ in tickets for c in ticket["comments"] if not c["public"]]

    assert not any(map(note_words.search, spoken))
    assert any(map(note_words.search, notes))
