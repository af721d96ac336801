"""Freshdesk tickets with their conversations: of the API, version 2, or of the account export.

https://developers.freshdesk.com/api/#tickets, https://developers.freshdesk.com/v1/api/#view_a_ticket
The export wraps a ticket as `{"helpdesk_ticket": {..., "notes": [{"note": {...}}]}}`, as version 1 did.
"""

from typing import Any

from data_pipeline.sources.conversation import Conversation, RowError, as_dict, as_list, blank, key_text
from data_pipeline.sources.labels import moment

_STATUS = {2: "open", 3: "pending", 4: "solved", 5: "closed"}
_PRIORITY = {1: "low", 2: "normal", 3: "high", 4: "urgent"}
_CHANNEL = {1: "email", 2: "portal", 3: "phone", 7: "chat", 9: "feedback_widget", 10: "outbound_email"}
_OUTBOUND = 10


def read(row: dict[str, Any]) -> Conversation:
    """The description and what is incoming are the user's, other replies the assistant's. Raises RowError."""
    ticket = as_dict(row.get("helpdesk_ticket")) or row
    requester = as_dict(ticket.get("requester"))
    requester_id = key_text(ticket.get("requester_id")) or key_text(requester.get("id"))
    replies = ticket.get("conversations", ticket.get("notes"))
    if not isinstance(replies, list):
        raise RowError("no_messages", "no list of conversations: export the tickets together with them")
    opener = "assistant" if ticket.get("source") == _OUTBOUND else "user"
    messages = [{"role": opener, "content": _body(ticket, "description"), "internal": False}]
    replies = [as_dict(reply).get("note", reply) for reply in replies]
    replies = [reply for reply in replies if as_dict(reply).get("deleted") is not True]
    messages += [_message(reply, index, requester_id) for index, reply in enumerate(replies)]
    with_text = [message for message in messages if not blank(message["content"])]
    email = key_text(requester.get("email")) or key_text(ticket.get("email"))
    ticket_id = key_text(ticket.get("id")) or key_text(ticket.get("display_id"))
    if ticket is not row:  # exports have an id of the account's database beside the number that people see
        ticket_id = key_text(ticket.get("display_id")) or ticket_id
    fields = _fields(ticket)
    if without_text := len(messages) - len(with_text):
        fields["comments_without_text"] = without_text
    return Conversation(
        messages=with_text,
        id=ticket_id,
        customer=requester_id,
        email=email and email.lower(),
        thread=ticket_id,
        fields=fields,
    )


def _message(reply: Any, index: int, requester_id: str | None) -> dict[str, Any]:
    if not isinstance(reply, dict):
        raise RowError("bad_comment", f"conversation {index} is not an object")
    incoming, private = reply.get("incoming"), reply.get("private", False)
    author = key_text(reply.get("user_id"))
    if not isinstance(incoming, bool):
        if incoming is not None or author is None or requester_id is None:
            raise RowError("bad_comment", f"conversation {index}: incoming is neither true nor false")
        incoming = author == requester_id
    if not isinstance(private, bool):
        raise RowError("bad_comment", f"conversation {index}: private is neither true nor false")
    return {
        "role": "user" if incoming or (author is not None and author == requester_id) else "assistant",
        "content": _body(reply, "body"),
        "internal": private,
    }


def _body(item: dict[str, Any], name: str) -> Any:
    """Plain text where there is any: `body_text` in version 2, `body` (beside `body_html`) in version 1."""
    texts = (item.get(key) for key in (f"{name}_text", name, f"{name}_html"))
    return next((text for text in texts if not blank(text)), "")


def _fields(ticket: dict[str, Any]) -> dict[str, Any]:
    rating = _rating(ticket)
    fields = {
        "subject": ticket.get("subject"),
        "status": _named(ticket.get("status"), _STATUS),
        "priority": _named(ticket.get("priority"), _PRIORITY),
        "channel": _named(ticket.get("source"), _CHANNEL),
        "tags": [tag for tag in map(_tag, as_list(ticket.get("tags"))) if tag],
        "created_at": moment(ticket.get("created_at")),
        "updated_at": moment(ticket.get("updated_at")),
        "csat": None if rating is None else "neutral" if rating == 100 else "good" if rating > 100 else "bad",
        "rating": rating,
    }
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _named(value: Any, names: dict[int, str]) -> str | None:
    """The name of a number; a status of the company's own has none, and stays a number."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return names.get(value, str(value))


def _tag(tag: Any) -> str | None:
    return tag.strip() if isinstance(tag, str) else key_text(as_dict(tag).get("name"))


def _rating(ticket: dict[str, Any]) -> int | None:
    """The last answer to the first question: 101 to 103 is happy, 100 neutral, -101 to -103 unhappy."""
    ratings = as_list(ticket.get("satisfaction_ratings")) or [ticket.get("satisfaction_rating")]
    latest = max(map(as_dict, ratings), key=lambda rating: str(rating.get("created_at", "")), default={})
    given = latest.get("ratings", latest.get("rating"))
    if isinstance(given, dict):
        given = given.get("default_question")
    return given if isinstance(given, int) and not isinstance(given, bool) else None
