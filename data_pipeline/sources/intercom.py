"""Intercom conversations with their parts, as the Conversations API gives them.

https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations
"""

import re
from typing import Any

from data_pipeline.sources.conversation import Conversation, RowError, as_dict, as_list, blank, key_text
from data_pipeline.sources.labels import Label, moment

_CUSTOMERS = ("user", "lead", "contact")
_COMPANY = ("admin", "bot", "team")
_STATUS = {"open": "open", "snoozed": "pending", "closed": "closed"}
_MESSAGE = ("role", "content", "internal")
_TAG = re.compile(r"<[^<>]*>")


def read(row: dict[str, Any]) -> Conversation:
    """What users, leads and contacts write is the user's, what admins and bots write the assistant's.

    Notes are internal; parts without a body (assignments, closings, ratings) say nothing. What a bot or a
    campaign says before the customer has written is left out and counted. Raises RowError.
    """
    source = as_dict(row.get("source"))
    parts = row.get("conversation_parts")
    parts = parts.get("conversation_parts") if isinstance(parts, dict) else parts
    if not source and not isinstance(parts, list):
        raise RowError("no_messages", "neither a source nor conversation_parts: export whole conversations")
    opening = [source] if not blank(source.get("body")) else []
    written = [part for part in as_list(parts) if not (isinstance(part, dict) and blank(part.get("body")))]
    messages = [_message(part, index) for index, part in enumerate([*opening, *written])]
    automated = _automated(messages, source if opening else {})
    contacts = as_list(as_dict(row.get("contacts")).get("contacts")) or as_list(row.get("contacts"))
    author = as_dict(source.get("author"))
    is_customer = author.get("type") in _CUSTOMERS
    contact = as_dict(contacts[0]) if contacts else author if is_customer else {}
    email = key_text(author.get("email") if is_customer else contact.get("email"))
    conversation_id = key_text(row.get("id"))
    return Conversation(
        messages=[{key: message[key] for key in _MESSAGE} for message in messages[automated:]],
        id=conversation_id,
        customer=key_text(contact.get("id")),
        email=email and email.lower(),
        thread=conversation_id,
        fields=_fields(row, source) | ({"automated_opening_turns": automated} if automated else {}),
        labels=_labels(row),
    )


def _message(part: Any, index: int) -> dict[str, Any]:
    if not isinstance(part, dict):
        raise RowError("bad_comment", f"part {index} is not an object")
    author = as_dict(part.get("author")).get("type")
    if author not in (*_CUSTOMERS, *_COMPANY):
        raise RowError(
            "bad_comment", f"part {index}: the type of its author is neither a customer's nor yours"
        )
    part_type = part.get("part_type")
    return {
        "role": "user" if author in _CUSTOMERS else "assistant",
        "content": part["body"],
        "internal": isinstance(part_type, str) and part_type.startswith("note"),
        "is_bot": author == "bot",
    }


def _automated(messages: list[dict[str, Any]], source: dict[str, Any]) -> int:
    """How many messages at the beginning nobody has typed."""
    is_campaign = source.get("delivered_as") in ("automated", "operator_initiated")
    for index, message in enumerate(messages):
        if message["role"] == "user" or not (message["is_bot"] or (index == 0 and is_campaign)):
            return index
    return 0


def _fields(row: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    subject = row.get("title") or source.get("subject")
    rating = as_dict(row.get("conversation_rating"))
    state = row.get("state")
    tags = [as_dict(tag).get("name") for tag in as_list(as_dict(row.get("tags")).get("tags"))]
    fields = {
        "subject": _TAG.sub("", subject).strip() if isinstance(subject, str) else None,
        "status": _STATUS.get(state) if isinstance(state, str) else None,
        "priority": "high" if row.get("priority") == "priority" else None,
        "tags": [tag for tag in tags if isinstance(tag, str)],
        "channel": source.get("type"),
        "created_at": moment(row.get("created_at")),
        "updated_at": moment(row.get("updated_at")),
        "csat": _csat(rating.get("rating")),
        "rating": rating.get("rating"),
        "rating_remark": rating.get("remark"),
    }
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _csat(rating: Any) -> str | None:
    """Intercom's 1 to 5 in Zendesk's words: bad, good, or neutral for the one in the middle."""
    if isinstance(rating, bool) or rating not in (1, 2, 3, 4, 5):
        return None
    return "neutral" if rating == 3 else "good" if rating > 3 else "bad"


def _labels(row: dict[str, Any]) -> list[Label]:
    """Tags, where the export says who has put them on."""
    labels: list[Label] = []
    for tag in map(as_dict, as_list(as_dict(row.get("tags")).get("tags"))):
        by, name = as_dict(tag.get("applied_by")), key_text(tag.get("name"))
        if name and (who := key_text(by.get("id"))):
            kind = by.get("type") if isinstance(by.get("type"), str) else "admin"
            labels.append({"by": f"{kind}:{who}", "label": name, "at": moment(tag.get("applied_at"))})
    return labels
