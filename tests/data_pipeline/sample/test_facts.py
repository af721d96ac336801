"""Answers, articles and facts agree."""

import random
import re
import unicodedata

from data_pipeline.sample.checks import agent_lines
from data_pipeline.sample.company import Content
from data_pipeline.sample.generate import Sample
from data_pipeline.sample.grammar import plain, slot_names
from data_pipeline.sample.kb import render_article
from data_pipeline.sample.people import make_customer
from data_pipeline.sample.rates import Rates
from data_pipeline.sample.scope import Scope
from tests.data_pipeline.sample.made import Made, bodies, public

# --- texts and facts


def test_a_changed_fact_changes_article_and_answers(content: Content, tickets: Made) -> None:
    changed = content.model_copy(update={"facts": content.facts | {"returns.label_price": "987"}})
    sample = Sample(changed, 7, Rates())
    after = [sample.ticket(index)[0] for index in range(300)]
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
        if truth["situation"] in own_numbers or truth["second_situation"]:
            continue
        if truth["contradiction"] or truth["bad_answer"]:
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
    for ticket, truth in tickets:
        if truth["language"] not in ("en", "ja-en") or truth["near_duplicate_of"]:
            continue
        name = ticket["requester"]["name"].split()[0]
        greeting = re.compile(rf"^\W*(<p>)?(Hi|Hello|Dear|Good day) {name}")
        agents = [c["body"] for c in public(ticket) if c["author_id"] == ticket["assignee_id"]]
        assert [bool(greeting.match(text)) for text in agents] == [True] + [False] * (len(agents) - 1)
