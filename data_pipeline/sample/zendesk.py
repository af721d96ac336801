"""A conversation as one line of a Zendesk export, with its planted truth.

Field names are those of Zendesk's Ticket Comments and Tickets API: https://developer.zendesk.com/api-reference/
"""

import random
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from data_pipeline.sample.company import Content
from data_pipeline.sample.conversation import Dialogue, Message
from data_pipeline.sample.grammar import Piece, plain
from data_pipeline.sample.noise import disfigure

_FIRST_DAY = datetime(2024, 1, 8, 7, 0, tzinfo=UTC)
_MINUTES_BETWEEN_TICKETS = 7
_AGENT_IDS, _CUSTOMER_IDS = 360_000_000_000, 390_000_000_000
_STATUSES = ("closed", "solved", "open", "pending")
_PRIORITIES = {"furious": "urgent", "annoyed": "high", "worried": "high"}
TRAFFIC_SOURCES = ("organic", "newsletter", "app", "social", "direct")
_FIELDS = {"language": 360021, "traffic_source": 360022}
_TAGS = ("follow_up", "macro_used", "mobile", "repeat_customer", "vip", "web_widget")

Json = dict[str, Any]


def render(
    content: Content, dialogue: Dialogue, ticket_id: int, index: int, seed: int, rng: random.Random
) -> tuple[Json, Json]:
    """Return the ticket and its truth. `index` places it in time; `rng` decides on markup and metadata."""
    requester_id = _CUSTOMER_IDS + (seed + 1) * 10**7 + dialogue.customer.number
    assignee_id = _AGENT_IDS + content.people.agents.index(dialogue.agent)
    comments, planted, misstated = [], [], []
    moment = _FIRST_DAY + timedelta(minutes=index * _MINUTES_BETWEEN_TICKETS + rng.randrange(5))
    created_at = _iso(moment)
    for number, message in enumerate(dialogue.messages):
        comment_id = ticket_id * 100 + number
        body, html_body = disfigure(message.text, rng)
        author_id = requester_id if message.speaker == "customer" else assignee_id
        comments.append(_comment(comment_id, author_id, message, plain(body), html_body, _iso(moment)))
        planted += _spans(comment_id, body, message.text)
        misstated += [comment_id] if message.misstates else []
        moment += _pause(dialogue, message, rng)
    ticket = {
        "id": ticket_id,
        "subject": dialogue.subject,
        **_metadata(content, dialogue, rng),
        "requester_id": requester_id,
        "requester": _requester(dialogue, requester_id),
        "assignee_id": assignee_id,
        "created_at": created_at,
        "updated_at": comments[-1]["created_at"],
        "comments": comments,
    }
    truth = {
        "ticket_id": ticket_id,
        **_situation_truth(content, dialogue),
        "mood": dialogue.mood,
        "language": dialogue.customer.language,
        "mixes_japanese": dialogue.customer.mixes_japanese,
        "duplicate_of": None,
        "near_duplicate_of": None,
        "internal_notes": sum(message.speaker == "note" for message in dialogue.messages),
        **_fault_truth(dialogue, ticket_id * 100 + dialogue.answer_index, misstated),
        "pii": planted,
    }
    return ticket, truth


def _situation_truth(content: Content, dialogue: Dialogue) -> Json:
    situation, second = dialogue.situation, dialogue.plan.second
    second_article = second.article if second else dialogue.aside.article if dialogue.aside else None
    return {
        "situation": situation.name if situation else None,
        "held_out": situation is not None and situation.held_out,
        "topic": content.articles[dialogue.article].topic,
        "article": dialogue.article,
        "second_situation": second.name if second else None,
        "second_article": second_article,
        "intents": [dialogue.intent, *([second.intent] if second else [])],
    }


def _fault_truth(dialogue: Dialogue, answer_id: int, misstated: list[int]) -> Json:
    """What is wrong with the answer: a bad one by kind, or the comments that state a wrong value."""
    fault, wrong = dialogue.plan.fault, dialogue.misstatement
    is_bad = fault not in (None, "contradiction")
    return {
        "answer_comment_id": answer_id,
        "bad_answer": fault if is_bad else None,
        "contradiction": {**asdict(wrong), "comment_ids": misstated} if wrong else None,
    }


def _comment(
    comment_id: int, author_id: int, message: Message, body: str, html_body: str, created_at: str
) -> Json:
    return {
        "id": comment_id,
        "type": "Comment",
        "author_id": author_id,
        "public": message.speaker != "note",
        "body": body,
        "html_body": html_body,
        "created_at": created_at,
    }


def _requester(dialogue: Dialogue, requester_id: int) -> Json:
    return {"id": requester_id, "name": dialogue.customer.full_name, "email": dialogue.customer.email}


def _spans(comment_id: int, body: list[Piece], said: list[Piece]) -> list[Json]:
    """Where personal data stands in a body. `text` is what stands there, `value` is without HTML escapes."""
    values = iter(piece.text for piece in said if piece.kind)
    spans, start = [], 0
    for piece in body:
        end = start + len(piece.text)
        if piece.kind:
            place = {"comment_id": comment_id, "start": start, "end": end}
            spans.append({**place, "kind": piece.kind, "text": piece.text, "value": next(values)})
        start = end
    return spans


def _metadata(content: Content, dialogue: Dialogue, rng: random.Random) -> Json:
    topic = content.articles[dialogue.article].topic
    tags = sorted({*rng.sample(_TAGS, rng.randrange(3)), *([topic] if rng.random() < 0.8 else [])})
    values = {
        "language": dialogue.customer.language,
        "traffic_source": rng.choice(TRAFFIC_SOURCES),
    }
    return {
        "status": rng.choices(_STATUSES, (50, 20, 25, 5) if dialogue.happy is False else (60, 30, 6, 4))[0],
        "priority": _PRIORITIES.get(dialogue.mood, rng.choice(("low", "normal", "normal"))),
        "tags": tags,
        "via": {"channel": dialogue.channel},
        "satisfaction_rating": {"score": _rating(content, dialogue, rng)},
        "custom_fields": [{"id": _FIELDS[name], "value": value} for name, value in values.items()],
    }


def _rating(content: Content, dialogue: Dialogue, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(("offered", "unoffered"))
    if dialogue.plan.fault not in (None, "contradiction") and rng.random() < 0.8:
        return "bad"
    if dialogue.happy is not None:
        return "good" if dialogue.happy else "bad"
    return "good" if rng.random() < content.moods[dialogue.mood].good_rating else "bad"


def _pause(dialogue: Dialogue, message: Message, rng: random.Random) -> timedelta:
    """Chats go on within minutes, mails within hours."""
    if dialogue.channel == "chat":
        return timedelta(seconds=rng.randrange(20, 240))
    hours = 14 if message.speaker == "customer" else 30
    return timedelta(minutes=rng.randrange(6, hours * 60))


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
