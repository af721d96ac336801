import copy
import json
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.sources import intercom
from data_pipeline.sources.conversation import RowError
from tests.data_pipeline.sources.reading import read, write

# As the Conversations API gives it, without the keys that say nothing here.
CONVERSATION: dict[str, Any] = {
    "type": "conversation",
    "id": "215468",
    "title": None,
    "created_at": 1704697320,
    "updated_at": 1704870360,
    "state": "closed",
    "priority": "priority",
    "source": {
        "type": "email",
        "id": "99001",
        "delivered_as": "customer_initiated",
        "subject": "<p>Where is my parcel?</p>",
        "body": "<p>Hi,<br>my parcel <b>MA-1042</b> has not come.</p>",
        "author": {"type": "user", "id": "65ab01", "name": "Mia Holt", "email": "Mia.Holt@example.org"},
        "attachments": [],
    },
    "contacts": {
        "type": "contact.list",
        "contacts": [{"type": "contact", "id": "65ab01", "external_id": "c-7"}],
    },
    "tags": {
        "type": "tag.list",
        "tags": [
            {
                "type": "tag",
                "id": "1",
                "name": "late parcel",
                "applied_at": 1704698000,
                "applied_by": {"type": "admin", "id": "814860"},
            },
            {"type": "tag", "id": "2", "name": "vip"},
        ],
    },
    "conversation_rating": {"rating": 4, "remark": "Quick", "created_at": 1704870300},
    "conversation_parts": {
        "type": "conversation_part.list",
        "total_count": 5,
        "conversation_parts": [
            {
                "type": "conversation_part",
                "part_type": "assignment",
                "body": None,
                "author": {"type": "bot", "id": "11", "name": "Operator"},
            },
            {
                "type": "conversation_part",
                "part_type": "note",
                "body": "<p>Depot says Friday.</p>",
                "author": {"type": "admin", "id": "814860", "name": "Ines"},
            },
            {
                "type": "conversation_part",
                "part_type": "comment",
                "body": "<p>It will be with you on Friday.</p>",
                "author": {"type": "admin", "id": "814860", "name": "Ines"},
            },
            {
                "type": "conversation_part",
                "part_type": "comment",
                "body": "<p>Thank you!</p>",
                "author": {"type": "lead", "id": "65ab01"},
            },
            {
                "type": "conversation_part",
                "part_type": "close",
                "body": "<p>You are welcome.</p>",
                "author": {"type": "admin", "id": "814860"},
            },
        ],
    },
}


def changed(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(CONVERSATION) | changes


def part(author: str, body: Any = "<p>Hi</p>", part_type: str = "comment") -> dict[str, Any]:
    return {"part_type": part_type, "body": body, "author": {"type": author, "id": "1"}}


def parts(*items: Any) -> dict[str, Any]:
    return {"type": "conversation_part.list", "conversation_parts": list(items)}


def roles(row: dict[str, Any]) -> list[str]:
    return [message["role"] for message in intercom.read(row).messages]


def test_parts_have_the_role_of_their_author_and_notes_are_internal() -> None:
    messages = intercom.read(CONVERSATION).messages
    assert [(message["role"], message["internal"]) for message in messages] == [
        ("user", False),
        ("assistant", True),
        ("assistant", False),
        ("user", False),
        ("assistant", False),
    ]
    assert messages[0]["content"] == "<p>Hi,<br>my parcel <b>MA-1042</b> has not come.</p>"
    assert messages[4]["content"] == "<p>You are welcome.</p>"


def test_the_contact_and_the_address_are_keys() -> None:
    conversation = intercom.read(CONVERSATION)
    assert (conversation.id, conversation.thread, conversation.customer, conversation.email) == (
        "215468",
        "215468",
        "65ab01",
        "mia.holt@example.org",
    )


def test_fields_have_the_names_that_all_help_desks_share() -> None:
    assert intercom.read(CONVERSATION).fields == {
        "subject": "Where is my parcel?",
        "status": "closed",
        "priority": "high",
        "tags": ["late parcel", "vip"],
        "channel": "email",
        "created_at": "2024-01-08T07:02:00Z",
        "updated_at": "2024-01-10T07:06:00Z",
        "csat": "good",
        "rating": 4,
        "rating_remark": "Quick",
    }


@pytest.mark.parametrize(
    ("rating", "csat"), [(1, "bad"), (3, "neutral"), (5, "good"), (6, None), (True, None), ("5", None)]
)
def test_ratings_are_put_into_words(rating: object, csat: str | None) -> None:
    fields = intercom.read(changed(conversation_rating={"rating": rating})).fields
    assert fields.get("csat") == csat


def test_tags_say_who_has_put_them_on_and_when() -> None:
    assert intercom.read(CONVERSATION).labels == [
        {"by": "admin:814860", "label": "late parcel", "at": "2024-01-08T07:13:20Z"}
    ]


def test_what_a_bot_says_first_is_left_out_and_counted() -> None:
    bot = part("bot")
    row = changed(source={}, conversation_parts=parts(bot, bot, part("user"), bot, part("admin")))
    assert roles(row) == ["user", "assistant", "assistant"]
    assert intercom.read(row).fields["automated_opening_turns"] == 2


def test_a_campaign_is_left_out_and_a_persons_first_word_is_not() -> None:
    source = {"body": "<p>Sale!</p>", "author": {"type": "admin", "id": "1"}, "delivered_as": "automated"}
    replies = parts(part("user"), part("admin"))
    row = changed(source=source, conversation_parts=replies)
    assert roles(row) == ["user", "assistant"]
    row["source"]["delivered_as"] = "admin_initiated"
    assert roles(row) == ["assistant", "user", "assistant"]


def test_parts_may_lie_in_the_row_itself_and_contacts_too() -> None:
    row = changed(conversation_parts=[part("admin")], contacts=[{"id": "9", "email": "A@x.org"}], source={})
    conversation = intercom.read(row)
    assert [message["role"] for message in conversation.messages] == ["assistant"]
    assert (conversation.customer, conversation.email) == ("9", "a@x.org")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source": None, "conversation_parts": None}, "no_messages"),
        ({"source": None, "conversation_parts": {"conversation_parts": "many"}}, "no_messages"),
        ({"conversation_parts": parts("text")}, "bad_comment"),
        ({"conversation_parts": parts(part("alien"))}, "bad_comment"),
        ({"conversation_parts": parts({"body": "Hi"})}, "bad_comment"),
    ],
)
def test_what_is_no_conversation_has_a_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowError) as error:
        intercom.read(changed(**changes))
    assert error.value.reason == reason


@pytest.mark.parametrize("form", ["lines", "pages"])
def test_exports_are_lines_or_pages(tmp_path: Path, form: str) -> None:
    rows = [changed(id=str(n)) for n in range(3)]
    page = {"type": "conversation.list", "pages": {"next": None}, "total_count": 3, "conversations": rows}
    data = "\n".join(map(json.dumps, rows)) if form == "lines" else json.dumps(page)
    path = write(tmp_path / f"{form}.json", data)
    found = read(tmp_path, type="intercom", path=path)
    assert [document.id for document in found.documents] == ["intercom/0", "intercom/1", "intercom/2"]
    assert found.documents[0].metadata["labels"] == intercom.read(CONVERSATION).labels
