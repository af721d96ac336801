import pytest

from data_pipeline.sources import chat as chat_source
from data_pipeline.sources import zendesk
from data_pipeline.sources.conversation import RowError, key_text
from tests.data_pipeline.building import chat, ticket


def test_the_requester_is_the_user_and_all_others_the_assistant() -> None:
    conversation = zendesk.read(ticket(5, "Where is it?", "On its way."))
    assert conversation.messages == [
        {"role": "user", "content": "Where is it?", "internal": False},
        {"role": "assistant", "content": "On its way.", "internal": False},
    ]


def test_a_comment_that_is_not_public_is_internal() -> None:
    row = ticket(5, "Where is it?", "Check the depot")
    row["comments"][1]["public"] = False
    assert [message["internal"] for message in zendesk.read(row).messages] == [False, True]


def test_a_zendesk_ticket_is_known_by_requester_address_and_id() -> None:
    row = ticket(5, "Hi", "Hello", requester=9) | {"requester": {"id": 9, "email": "Mia@Example.com"}}
    conversation = zendesk.read(row)
    assert (conversation.id, conversation.thread, conversation.customer, conversation.email) == (
        "5",
        "5",
        "9",
        "mia@example.com",
    )


def test_ids_may_be_numbers_or_text() -> None:
    row = ticket(5, "Hi", "Hello", requester=9)
    row["comments"][0]["author_id"] = "9"
    assert zendesk.read(row).messages[0]["role"] == "user"


def test_the_html_body_is_used_where_there_is_no_plain_one() -> None:
    row = ticket(5, "", "Hello")
    row["comments"][0]["html_body"] = "<p>Hi</p>"
    assert zendesk.read(row).messages[0]["content"] == "<p>Hi</p>"


def test_ticket_fields_are_kept_where_they_say_something() -> None:
    row = ticket(
        5,
        "Hi",
        "Hello",
        subject="Order",
        status="solved",
        priority=None,
        tags=["returns"],
        via={"channel": "email"},
        satisfaction_rating={"score": "good"},
    )
    assert zendesk.read(row).fields == {
        "subject": "Order",
        "status": "solved",
        "tags": ["returns"],
        "channel": "email",
        "csat": "good",
    }


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"requester_id": None}, "no_requester"),
        ({"requester_id": True}, "no_requester"),
        ({"comments": None}, "no_messages"),
        ({"comments": "none"}, "no_messages"),
        ({"comments": ["text"]}, "bad_comment"),
        ({"comments": [{"body": "Hi", "public": True}]}, "bad_comment"),
        ({"comments": [{"body": "Hi", "public": "false", "author_id": 1}]}, "bad_comment"),
    ],
)
def test_what_is_no_ticket_has_a_reason(broken: dict[str, object], reason: str) -> None:
    with pytest.raises(RowError) as error:
        zendesk.read(ticket(5, "Hi", "Hello") | broken)
    assert error.value.reason == reason


def test_a_chat_row_keeps_its_other_keys_as_fields() -> None:
    row = chat("Hi", "Hello", id=3, customer_id="c", conversation_id="t", topic="x")
    conversation = chat_source.read(row)
    assert (conversation.id, conversation.customer, conversation.thread) == ("3", "c", "t")
    assert conversation.fields == {"topic": "x"}


def test_a_chat_row_without_conversation_id_is_its_own_thread() -> None:
    assert chat_source.read(chat("Hi", "Hello", id="3")).thread == "3"


def test_a_chat_row_needs_messages() -> None:
    with pytest.raises(RowError) as error:
        chat_source.read({"turns": []})
    assert error.value.reason == "no_messages"


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (" a ", "a"), ("", None), (True, None), ([1], None)])
def test_ids_become_text(value: object, text: str | None) -> None:
    assert key_text(value) == text


def test_a_comment_that_is_an_attachment_alone_is_left_out_and_counted() -> None:
    conversation = zendesk.read(ticket(1, "It arrived bent.", "Could you send a photo?", " \n", "Thank you!"))
    assert [message["content"] for message in conversation.messages] == [
        "It arrived bent.",
        "Could you send a photo?",
        "Thank you!",
    ]
    assert conversation.fields == {"comments_without_text": 1}
