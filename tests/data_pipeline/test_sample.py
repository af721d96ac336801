"""The sample company's tickets: determinism, planted truth, held-out situations, facts that agree."""

import html
import random
import re
import tracemalloc
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from common import artifacts
from common.command import Options
from common.config import load
from data_pipeline.sample.__main__ import make_sample
from data_pipeline.sample.checks import agent_lines
from data_pipeline.sample.config import SampleConfig
from data_pipeline.sample.content import load_content
from data_pipeline.sample.generate import Sample
from data_pipeline.sample.grammar import Piece, plain, slot_names
from data_pipeline.sample.kb import render_article
from data_pipeline.sample.models import Content
from data_pipeline.sample.noise import disfigure
from data_pipeline.sample.people import make_customer
from data_pipeline.sample.scope import Scope

ROOT = Path(__file__).resolve().parents[2]
COUNT, UNSEEN = 1600, 150

Made = list[tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture(scope="module")
def content() -> Content:
    return load_content()


@pytest.fixture(scope="module")
def tickets(content: Content) -> Made:
    return [Sample(content, 7, 0.03, 0.25).ticket(index) for index in range(COUNT)]


@pytest.fixture(scope="module")
def unseen(content: Content) -> Made:
    return [Sample(content, 7, 0.03, 0.25).unseen_ticket(index) for index in range(UNSEEN)]


@pytest.fixture(scope="module")
def originals(tickets: Made) -> list[dict[str, Any]]:
    return [ticket for ticket, truth in tickets if truth["duplicate_of"] is None]


def bodies(ticket: dict[str, Any]) -> tuple[str, ...]:
    return tuple(comment["body"] for comment in ticket["comments"])


def public(ticket: dict[str, Any]) -> list[dict[str, Any]]:
    return [comment for comment in ticket["comments"] if comment["public"]]


def small(output: Path, **changes: Any) -> SampleConfig:
    return SampleConfig(output=output, **({"tickets": 40, "unseen_tickets": 10} | changes))


def files(folder: Path) -> dict[str, bytes]:
    """Everything but the manifest, which holds the time."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != artifacts.MANIFEST)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


# --- the command


def test_same_config_gives_the_same_bytes(tmp_path: Path) -> None:
    make_sample(small(tmp_path / "one"), Options())
    make_sample(small(tmp_path / "two"), Options())

    assert files(tmp_path / "one") == files(tmp_path / "two")
    hashes = [artifacts.read_manifest(tmp_path / name).content_hash for name in ("one", "two")]
    assert hashes[0] == hashes[1]


def test_artifact_holds_what_the_manifest_counts(tmp_path: Path) -> None:
    make_sample(small(tmp_path / "sample"), Options())

    manifest = artifacts.read_manifest(tmp_path / "sample")
    lines = {path.name: path.read_bytes().count(b"\n") for path in (tmp_path / "sample").glob("*.jsonl")}
    assert lines == {"tickets.jsonl": 40, "unseen_tickets.jsonl": 10, "truth.jsonl": 50}
    assert manifest.counts["tickets"] == 40
    assert manifest.counts["unseen_tickets"] == 10
    assert manifest.counts["articles"] == len(list((tmp_path / "sample" / "kb").glob("*.md")))
    assert manifest.seeds == {"seed": 7}


def test_second_run_finds_it_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_sample(small(tmp_path / "sample"), Options())
    capsys.readouterr()
    make_sample(small(tmp_path / "sample"), Options())

    assert "is up to date" in capsys.readouterr().out


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    make_sample(small(tmp_path / "sample"), Options(dry_run=True))

    assert not (tmp_path / "sample").exists()


def test_shipped_config_loads_and_names_its_command() -> None:
    path = ROOT / "configs" / "quickstart" / "sample.yaml"

    assert load(SampleConfig, path).tickets == COUNT
    assert path.read_text().startswith("# python -m data_pipeline.sample configs/quickstart/sample.yaml\n")


# --- determinism


def test_a_ticket_depends_on_seed_and_index_only(content: Content, tickets: Made) -> None:
    alone = Sample(content, 7, 0.03, 0.25)

    assert [alone.ticket(index) for index in (1500, 3)] == [tickets[1500], tickets[3]]


def test_another_seed_shares_no_ticket(content: Content, tickets: Made) -> None:
    other = [Sample(content, 8, 0.03, 0.25).ticket(index) for index in range(COUNT)]

    for key in (lambda ticket: ticket["id"], lambda ticket: ticket["requester_id"], bodies):
        assert not {key(ticket) for ticket, _ in tickets} & {key(ticket) for ticket, _ in other}


@pytest.mark.slow
def test_tickets_stream_in_bounded_memory(content: Content) -> None:
    sample = Sample(content, 7, 0.03, 0.25)

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

    assert len({ticket["id"] for ticket in everything}) == COUNT + UNSEEN
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


# --- planted truth


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


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.25])
def test_duplicates_at_the_stated_rate(content: Content, rate: float) -> None:
    made = [Sample(content, 7, rate, 0.25).ticket(index) for index in range(400)]
    by_id = {ticket["id"]: (ticket, truth) for ticket, truth in made}
    duplicates = [(ticket, truth) for ticket, truth in made if truth["duplicate_of"] is not None]

    assert len(duplicates) == pytest.approx(400 * rate, abs=1)
    for ticket, truth in duplicates:
        original, its_truth = by_id[truth["duplicate_of"]]
        assert bodies(ticket) == bodies(original)
        assert ticket["requester"] == original["requester"]
        assert ticket["created_at"] > original["created_at"]
        assert its_truth["duplicate_of"] is None


def test_only_planted_duplicates_repeat_a_dialogue(originals: list[dict[str, Any]]) -> None:
    first_messages = Counter(ticket["comments"][0]["body"] for ticket in originals)

    assert len({bodies(ticket) for ticket in originals}) == len(originals)
    assert len(first_messages) / len(originals) > 0.99


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_internal_notes_are_planted_and_never_public(content: Content, rate: float) -> None:
    made = [Sample(content, 7, 0.0, rate).ticket(index) for index in range(400)]
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


# --- held-out situations


def test_held_out_situations_are_in_their_own_file_only(
    content: Content, tickets: Made, unseen: Made
) -> None:
    held_out = {situation.name for situation in content.situations if situation.held_out}

    assert {truth["situation"] for _, truth in unseen} == held_out
    assert {truth["situation"] for _, truth in tickets} == {s.name for s in content.situations} - held_out
    assert {truth["file"] for _, truth in unseen} == {"unseen_tickets.jsonl"}
    assert {truth["file"] for _, truth in tickets} == {"tickets.jsonl"}


# --- texts and facts


def test_a_changed_fact_changes_article_and_answers(content: Content, tickets: Made) -> None:
    changed = content.model_copy(update={"facts": content.facts | {"returns.label_price": "987"}})
    after = [Sample(changed, 7, 0.03, 0.25).ticket(index)[0] for index in range(300)]
    answers = [body for ticket in after for body in bodies(ticket)]

    assert "$987" in render_article(changed, changed.articles["returns"])
    assert any("$987" in answer for answer in answers)
    assert sum("label" in a and f"${content.facts['returns.label_price']}" in a for a in answers) == 0


def test_numbers_in_answers_stand_in_the_article(content: Content, tickets: Made) -> None:
    """As a reader sees it: a number that the agent names first is in an article of the ticket."""
    own_numbers = {
        situation.name
        for situation in content.situations
        for case in (*situation.cases, situation.slots)
        if any(slot_names(line) & case.keys() for line in agent_lines(situation))
    }
    checked = 0
    for ticket, truth in tickets:
        if truth["situation"] in own_numbers:
            continue
        articles = [article for article in (truth["article"], truth["second_article"]) if article]
        known = "".join(render_article(content, content.articles[article]) for article in articles)
        for comment in public(ticket):
            text = unicodedata.normalize("NFKC", re.sub(r"<[^>]+>|&[#\w]+;", " ", comment["body"]))
            for span in truth["pii"]:
                text = text.replace(span["text"], "")
            if comment["author_id"] == ticket["assignee_id"]:
                said_first = set(re.findall(r"\d+", text)) - set(re.findall(r"\d+", known))
                assert not said_first, (ticket["id"], truth["situation"])
                checked += 1
            known += text
    assert checked > 1000


def test_no_template_is_left_unfilled(tickets: Made, unseen: Made, content: Content) -> None:
    for ticket, _ in (*tickets, *unseen):
        assert not re.search(r"[{}|]|\\n", ticket["subject"])
        for body in bodies(ticket):
            assert not re.search(r"[{}]|\\n", body)
    for article in content.articles.values():
        assert not re.search("[{}]", render_article(content, article))


def test_nobody_is_told_to_read_what_they_have_read(content: Content) -> None:
    situation = next(situation for situation in content.situations if situation.name == "recommend_dark")
    customer = make_customer(content.people, 7, 0)
    recommended = {fact for name, fact in content.facts.items() if name.startswith("dark.")}
    scopes = [Scope(content, situation, customer, random.Random(seed)) for seed in range(300)]

    assert not {plain(scope.values["title"]) for scope in scopes} & recommended


def test_agents_greet_once(tickets: Made) -> None:
    for ticket, _ in tickets:
        name = ticket["requester"]["name"].split()[0]
        greeting = re.compile(rf"^\W*(<p>)?(Hi|Hello|Dear|Good day) {name}")
        agents = [c["body"] for c in public(ticket) if c["author_id"] == ticket["assignee_id"]]
        assert [bool(greeting.match(text)) for text in agents] == [True] + [False] * (len(agents) - 1)
