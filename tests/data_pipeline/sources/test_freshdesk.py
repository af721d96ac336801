import copy
import json
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.sources import freshdesk
from data_pipeline.sources.conversation import RowError
from tests.data_pipeline.sources.reading import read, write

# As `GET /api/v2/tickets/ID?include=conversations,requester` gives it.
TICKET: dict[str, Any] = {
    "id": 2031,
    "subject": "Wrong volume",
    "description": "<div>I ordered volume 3 and got <b>4</b>.</div>",
    "description_text": "I ordered volume 3 and got 4.",
    "status": 4,
    "priority": 3,
    "source": 1,
    "tags": ["wrong item"],
    "requester_id": 70001,
    "requester": {"id": 70001, "name": "Jonas Park", "email": "Jonas@example.org"},
    "responder_id": 801,
    "created_at": "2024-01-08T07:02:00Z",
    "updated_at": "2024-01-09T07:02:00Z",
    "satisfaction_rating": None,
    "conversations": [
        {
            "id": 1,
            "body": "<div>Stock says <i>swap</i>.</div>",
            "body_text": "Stock says swap.",
            "incoming": False,
            "private": True,
            "user_id": 801,
        },
        {
            "id": 2,
            "body": "<div>Sorry!</div>",
            "body_text": "Sorry! We send volume 3 today.",
            "incoming": False,
            "private": False,
            "user_id": 801,
        },
        {
            "id": 3,
            "body": "<div>Great</div>",
            "body_text": "",
            "incoming": True,
            "private": False,
            "user_id": 70001,
        },
        {"id": 4, "body": " ", "body_text": "", "incoming": True, "private": False, "user_id": 70001},
    ],
}

# As the account export has it, and version 1 of the API had it.
EXPORTED: dict[str, Any] = {
    "helpdesk_ticket": {
        "id": 8888,
        "display_id": 17,
        "subject": "Refund",
        "description": "When will I see my money?",
        "description_html": "<p>When will I see my money?</p>",
        "status": 5,
        "priority": 1,
        "source": 2,
        "requester_id": 70002,
        "responder_id": 801,
        "created_at": "2024-02-01T10:00:00+09:00",
        "tags": [{"name": "refund"}],
        "notes": [
            {
                "note": {
                    "body": "Within five days.",
                    "body_html": "<p>Within five days.</p>",
                    "incoming": False,
                    "private": False,
                    "user_id": 801,
                    "deleted": False,
                }
            },
            {
                "note": {
                    "body": "Typo",
                    "incoming": False,
                    "private": False,
                    "user_id": 801,
                    "deleted": True,
                }
            },
        ],
    }
}


def changed(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(TICKET) | changes


def turns(row: dict[str, Any]) -> list[tuple[str, Any, bool]]:
    messages = freshdesk.read(row).messages
    return [(message["role"], message["content"], message["internal"]) for message in messages]


def test_the_description_and_what_is_incoming_are_the_customers() -> None:
    assert turns(TICKET) == [
        ("user", "I ordered volume 3 and got 4.", False),
        ("assistant", "Stock says swap.", True),
        ("assistant", "Sorry! We send volume 3 today.", False),
        ("user", "<div>Great</div>", False),
    ]


def test_a_ticket_is_known_by_requester_address_and_id() -> None:
    conversation = freshdesk.read(TICKET)
    assert (conversation.id, conversation.thread, conversation.customer, conversation.email) == (
        "2031",
        "2031",
        "70001",
        "jonas@example.org",
    )


def test_numbers_of_fields_become_the_names_that_all_help_desks_share() -> None:
    assert freshdesk.read(TICKET).fields == {
        "subject": "Wrong volume",
        "status": "solved",
        "priority": "high",
        "channel": "email",
        "tags": ["wrong item"],
        "created_at": "2024-01-08T07:02:00Z",
        "updated_at": "2024-01-09T07:02:00Z",
        "comments_without_text": 1,
    }
    assert freshdesk.read(changed(status=19, priority="high")).fields["status"] == "19"


def test_the_export_wraps_its_tickets_and_notes() -> None:
    assert turns(EXPORTED) == [
        ("user", "When will I see my money?", False),
        ("assistant", "Within five days.", False),
    ]
    conversation = freshdesk.read(EXPORTED)
    assert (conversation.id, conversation.customer) == ("17", "70002")
    assert conversation.fields == {
        "subject": "Refund",
        "status": "closed",
        "priority": "low",
        "channel": "portal",
        "tags": ["refund"],
        "created_at": "2024-02-01T10:00:00+09:00",
    }


def test_an_outbound_mail_is_opened_by_the_agent() -> None:
    assert turns(changed(source=10))[0][0] == "assistant"


def test_without_incoming_the_author_tells() -> None:
    replies = [{"body_text": "Hm", "user_id": 70001}, {"body_text": "Yes", "user_id": "801"}]
    assert [role for role, _, _ in turns(changed(conversations=replies))] == ["user", "user", "assistant"]


@pytest.mark.parametrize(
    ("given", "csat"),
    [
        ({"satisfaction_rating": {"ratings": {"default_question": 103}}}, "good"),
        ({"satisfaction_rating": {"rating": 100}}, "neutral"),
        ({"satisfaction_rating": {"ratings": {"default_question": -102}}}, "bad"),
        ({"satisfaction_rating": {"ratings": "great"}}, None),
        ({"satisfaction_rating": True}, None),
        (
            {
                "satisfaction_ratings": [
                    {"created_at": "2024-01-09", "ratings": {"default_question": 101}},
                    {"created_at": "2024-01-08", "ratings": {"default_question": -103}},
                ]
            },
            "good",
        ),
    ],
)
def test_ratings_are_put_into_words_and_the_last_counts(given: dict[str, Any], csat: str | None) -> None:
    assert freshdesk.read(changed(**given)).fields.get("csat") == csat


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"conversations": None}, "no_messages"),
        ({"conversations": "none"}, "no_messages"),
        ({"conversations": ["text"]}, "bad_comment"),
        ({"conversations": [{"body": "Hi", "incoming": "yes"}]}, "bad_comment"),
        ({"conversations": [{"body": "Hi"}]}, "bad_comment"),
        ({"conversations": [{"body": "Hi", "incoming": True, "private": "no"}]}, "bad_comment"),
    ],
)
def test_what_is_no_ticket_has_a_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowError) as error:
        freshdesk.read(changed(**changes))
    assert error.value.reason == reason


def test_exports_are_lists_and_api_answers_lines(tmp_path: Path) -> None:
    write(tmp_path / "in" / "Tickets1.json", json.dumps([EXPORTED], indent=1))
    write(tmp_path / "in" / "api.jsonl", json.dumps(TICKET))
    found = read(tmp_path, type="freshdesk", path=tmp_path / "in", name="desk")
    assert [document.id for document in found.documents] == ["desk/17", "desk/2031"]
