"""Zendesk tickets with their comments, as the JSON export and the Tickets API give them.

https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
"""

from typing import Any

from data_pipeline.sources.conversation import Conversation, RowError, blank, key_text

_FIELDS = ("subject", "status", "priority", "tags", "created_at", "updated_at", "custom_fields")


def read(ticket: dict[str, Any]) -> Conversation:
    """The requester's comments are the user's, all other authors' the assistant's. Raises RowError."""
    requester = ticket.get("requester")
    requester = requester if isinstance(requester, dict) else {}
    requester_id = key_text(ticket.get("requester_id")) or key_text(requester.get("id"))
    if requester_id is None:
        raise RowError("no_requester", "without requester_id nobody can tell customer and agent apart")
    comments = ticket.get("comments")
    if not isinstance(comments, list):
        raise RowError("no_messages", "no list of comments: export the tickets together with their comments")
    email = key_text(requester.get("email"))
    ticket_id = key_text(ticket.get("id"))
    messages = [_message(comment, index, requester_id) for index, comment in enumerate(comments)]
    # A comment that is an attachment alone has no text; the rest of its ticket is still worth having.
    with_text = [message for message in messages if not blank(message["content"])]
    without_text = {"comments_without_text": len(messages) - len(with_text)}
    return Conversation(
        messages=with_text,
        id=ticket_id,
        customer=requester_id,
        email=email and email.lower(),
        thread=ticket_id,
        fields=_fields(ticket) | {key: count for key, count in without_text.items() if count},
    )


def _message(comment: Any, index: int, requester_id: str) -> dict[str, Any]:
    if not isinstance(comment, dict):
        raise RowError("bad_comment", f"comment {index} is not an object")
    author_id, public = key_text(comment.get("author_id")), comment.get("public", True)
    if author_id is None:
        raise RowError("bad_comment", f"comment {index} has no author_id")
    if not isinstance(public, bool):
        raise RowError("bad_comment", f"comment {index}: public is neither true nor false")
    return {
        "role": "user" if author_id == requester_id else "assistant",
        "content": comment.get("body") or comment.get("html_body") or "",
        "internal": not public,
    }


def _fields(ticket: dict[str, Any]) -> dict[str, Any]:
    fields = {name: ticket[name] for name in _FIELDS if ticket.get(name) not in (None, [], "")}
    for name, parent, key in (("channel", "via", "channel"), ("csat", "satisfaction_rating", "score")):
        value = ticket.get(parent)
        if isinstance(value, dict) and value.get(key) is not None:
            fields[name] = value[key]
    return fields
