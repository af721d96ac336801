"""The tickets: determinism, the shape of an export, situations that are held out."""

import html
import random
import re
import tracemalloc
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from data_pipeline.sample.company import Content
from data_pipeline.sample.generate import Sample
from data_pipeline.sample.grammar import Piece, plain
from data_pipeline.sample.noise import disfigure
from data_pipeline.sample.rates import Rates
from tests.data_pipeline.sample.made import Made, bodies, public

# --- determinism


def test_a_ticket_depends_on_seed_and_index_only(content: Content, tickets: Made) -> None:
    alone = Sample(content, 7, Rates())

    assert [alone.ticket(index) for index in (1500, 3)] == [tickets[1500], tickets[3]]


def test_another_seed_shares_no_ticket(content: Content, tickets: Made) -> None:
    sample = Sample(content, 8, Rates())
    other = [sample.ticket(index) for index in range(len(tickets))]

    for key in (lambda ticket: ticket["id"], lambda ticket: ticket["requester_id"], bodies):
        assert not {key(ticket) for ticket, _ in tickets} & {key(ticket) for ticket, _ in other}


@pytest.mark.slow
def test_tickets_stream_in_bounded_memory(sample: Sample) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        for index in range(count):
            sample.ticket(index)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    few = peak(100)
    assert peak(1000) < 2 * few


# --- the shape of an export


def test_tickets_look_like_zendesk(tickets: Made) -> None:
    for ticket, _ in tickets:
        comments = ticket["comments"]
        assert comments[0]["author_id"] == ticket["requester_id"] == ticket["requester"]["id"]
        assert all(c["author_id"] in (ticket["requester_id"], ticket["assignee_id"]) for c in comments)
        assert [c["created_at"] for c in comments] == sorted(c["created_at"] for c in comments)
        assert (ticket["created_at"], ticket["updated_at"]) == (
            comments[0]["created_at"],
            comments[-1]["created_at"],
        )
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ticket["created_at"])
        assert ticket["satisfaction_rating"]["score"] in {"good", "bad", "offered", "unoffered"}


def test_ids_are_unique(tickets: Made, unseen: Made) -> None:
    everything = [ticket for ticket, _ in (*tickets, *unseen)]
    comment_ids = [comment["id"] for ticket in everything for comment in ticket["comments"]]

    assert len({ticket["id"] for ticket in everything}) == len(everything)
    assert len(set(comment_ids)) == len(comment_ids)


def test_dialogues_have_two_to_eight_public_messages(originals: list[dict[str, Any]]) -> None:
    lengths = Counter(len(public(ticket)) for ticket in originals)
    turns = Counter(
        sum(c["author_id"] == ticket["requester_id"] for c in public(ticket)) for ticket in originals
    )

    assert len(originals) >= 1500
    assert min(lengths) == 2
    assert max(lengths) == 8
    assert (turns[2] + turns[3]) / len(originals) > 0.6


def test_people_mostly_take_turns(originals: list[dict[str, Any]]) -> None:
    speakers = [[comment["author_id"] for comment in public(ticket)] for ticket in originals]
    twice_in_a_row = sum(any(a == b for a, b in pairwise(s)) for s in speakers)

    assert 0.03 < twice_in_a_row / len(originals) < 0.2


def test_customers_come_back(originals: list[dict[str, Any]], unseen: Made) -> None:
    customers = {ticket["requester_id"] for ticket in originals}

    assert 0.6 < len(customers) / len(originals) < 0.95
    assert not customers & {ticket["requester_id"] for ticket, _ in unseen}


def test_html_body_says_the_same_as_the_body(tickets: Made) -> None:
    def words(text: str) -> str:
        return re.sub(r"[\s\u200b\ufeff]+", "", html.unescape(re.sub(r"<br>|</?(p|div)[^>]*>", "", text)))

    for ticket, _ in tickets[:400]:
        for comment in ticket["comments"]:
            assert comment["html_body"] != comment["body"]
            assert words(comment["html_body"]) == words(comment["body"])


def test_bodies_carry_the_oddities_of_real_exports(tickets: Made) -> None:
    texts = [body for ticket, _ in tickets for body in bodies(ticket)]
    oddities = {
        "html": r"^<p>.*</p>$",
        "entities": r"&nbsp;|&#x27;",
        "no-break space": "\u00a0",
        "zero-width": "\u200b|\ufeff",
        "line ends": "\r\n",
        "full width": "[０-９]",
        "curly quotes": "’",
        "quoted reply": r"(?m)^> ",
        "signature": "MangaAssist Support|Customer Care",
        "japanese": "[ぁ-ん]",
    }
    shares = {
        name: sum(bool(re.search(pattern, text, re.DOTALL)) for text in texts) / len(texts)
        for name, pattern in oddities.items()
    }

    assert all(0.001 < share < 0.2 for share in shares.values()), shares


def test_disfigured_text_keeps_personal_data() -> None:
    pieces = [Piece("Hi, it's "), Piece("Mia O'Dell", "name"), Piece(". Call. Or\nmail")]
    made = [disfigure(pieces, random.Random(seed))[0] for seed in range(200)]

    assert {plain(body) for body in made} == {
        "Hi, it's Mia O'Dell. Call. Or\nmail",
        "<p>Hi, it&#x27;s Mia O&#x27;Dell. Call. Or<br>mail</p>",
        "Hi,&nbsp;it&#x27;s Mia O&#x27;Dell. Call. Or\nmail",
        "Hi,\u00a0it's Mia O'Dell.\u00a0Call.\u00a0Or  \nmail",
        "\ufeffHi, it's Mia O'Dell.\u200b Call.\u200b Or\nmail",
        "Hi, it's Mia O'Dell. Call. Or\r\nmail\r\n\r\n",
    }
    for body in made:
        assert [html.unescape(piece.text) for piece in body if piece.kind] == ["Mia O'Dell"]


# --- held-out situations


def test_held_out_situations_are_in_their_own_file_only(
    content: Content, tickets: Made, unseen: Made
) -> None:
    held_out = {situation.name for situation in content.situations if situation.held_out}

    assert {truth["situation"] for _, truth in unseen} <= held_out
    assert len({truth["situation"] for _, truth in unseen}) >= 28, "all of them, but for chance"
    seen = {truth["situation"] for _, truth in tickets} - {None}
    assert seen == {s.name for s in content.situations} - held_out
    assert all(truth["held_out"] for _, truth in unseen)
