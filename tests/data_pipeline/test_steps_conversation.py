from collections.abc import Iterable
from typing import Any

import pytest
from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from pydantic import TypeAdapter

from data_pipeline.sources.config import Source
from data_pipeline.steps.add_system_prompt import AddSystemPrompt
from data_pipeline.steps.check_messages import CheckMessages
from data_pipeline.steps.cut_unanswered import CutUnanswered
from data_pipeline.steps.drop_unreadable import DropUnreadable
from data_pipeline.steps.html_to_text import HtmlToText
from data_pipeline.steps.remove_notes import RemoveNotes
from data_pipeline.steps.to_conversation import ToConversation
from tests.data_pipeline.building import chat, ticket

USER = {"role": "user", "content": "Where is it?"}
REPLY = {"role": "assistant", "content": "On its way."}
SYSTEM = {"role": "system", "content": "You are kind."}


def document(messages: Any) -> Document:
    return Document(text="", id="x", metadata={"messages": messages})


def row_document(type: str, row: dict[str, Any]) -> Document:
    settings = TypeAdapter(Source).validate_python({"type": type, "path": __file__, "name": "shop"})
    return Document(text="", id="x", metadata={"source": "shop", "row": row, "settings": settings})


def after(step: PipelineStep, messages: Any) -> dict[str, Any]:
    (done,) = step.run(iter([document(messages)]))
    return done.metadata


def note(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text, "internal": True}


def test_a_row_that_could_be_read_passes() -> None:
    assert DropUnreadable().filter(document([])) is True


def test_a_defect_is_the_reason() -> None:
    doc = document([])
    doc.metadata["defect"] = ("broken_json", "at character 3")
    assert DropUnreadable().filter(doc) == (False, "broken_json")
    assert doc.metadata["detail"] == "at character 3"


@pytest.mark.parametrize(
    ("type", "row", "row_id", "keys"),
    [
        ("chat", chat("a", "b", id="5"), "shop/5", ["thread:shop:5"]),
        ("chat", chat("a", "b", id=5, customer_id="c"), "shop/5", ["customer:shop:c", "thread:shop:5"]),
        ("chat", chat("a", "b"), "x", []),
        (
            "zendesk",
            ticket(5, "a", "b", requester=9) | {"requester": {"email": "M@x.org"}},
            "shop/5",
            ["customer:shop:9", "email:m@x.org", "thread:shop:5"],
        ),
    ],
)
def test_ids_and_keys_belong_to_the_source_but_addresses_to_all(
    type: str, row: dict[str, Any], row_id: str, keys: list[str]
) -> None:
    doc = row_document(type, row)
    assert ToConversation().filter(doc) is True
    assert (doc.id, doc.metadata["keys"]) == (row_id, keys)


def test_a_row_of_another_format_is_rejected() -> None:
    assert ToConversation().filter(row_document("zendesk", chat("a", "b"))) == (False, "no_requester")


def test_internal_notes_go_and_are_counted() -> None:
    done = after(RemoveNotes(), [USER, note("rude"), REPLY, note("closed")])
    assert (done["messages"], done["notes_removed"]) == ([USER, REPLY], 2)


@pytest.mark.parametrize("messages", [None, "text", {"role": "user"}, [1, None, {"content": 5}]])
@pytest.mark.parametrize("step", [RemoveNotes(), HtmlToText()])
def test_what_is_no_list_of_messages_is_left_to_the_check(step: PipelineStep, messages: Any) -> None:
    assert after(step, messages)["messages"] == messages


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (None, "no_messages"),
        ([], "no_messages"),
        (["text"], "bad_message"),
        ([{"role": "bot", "content": "Hi"}], "bad_role"),
        ([USER, {"role": "assistant", "content": " "}], "empty_content"),
        ([USER, {"role": "assistant", "content": None}], "bad_message"),
        ([USER, REPLY, SYSTEM], "system_not_first"),
        ([REPLY], "no_user_turn"),
        ([REPLY, USER, REPLY], "first_not_user"),
        ([USER], "no_assistant_turn"),
    ],
)
def test_what_breaks_the_rules_of_a_conversation_is_rejected(messages: Any, reason: str) -> None:
    doc = document(messages)
    assert CheckMessages().filter(doc) == (False, reason)
    assert doc.metadata["detail"]


def test_neighbours_of_one_role_are_joined() -> None:
    doc = document([USER, {"role": "user", "content": "Hello?"}, REPLY])
    assert CheckMessages().filter(doc) is True
    assert doc.metadata["messages"] == [{"role": "user", "content": "Where is it?\n\nHello?"}, REPLY]


@pytest.mark.parametrize(
    ("messages", "kept", "cut"),
    [
        ([USER, REPLY], [USER, REPLY], []),
        ([USER, REPLY, USER], [USER, REPLY], [USER]),
        ([USER, REPLY, USER, REPLY, USER], [USER, REPLY, USER, REPLY], [USER]),
    ],
)
def test_a_conversation_ends_with_a_reply_and_keeps_the_rest_apart(
    messages: Any, kept: Any, cut: Any
) -> None:
    done = after(CutUnanswered(), messages)
    assert (done["messages"], done["cut"]) == (kept, cut)


OURS = {"role": "system", "content": "Ours"}


@pytest.mark.parametrize(
    ("replace", "messages", "expected"),
    [
        (False, [USER, REPLY], [OURS, USER, REPLY]),
        (True, [USER, REPLY], [OURS, USER, REPLY]),
        (False, [SYSTEM, USER, REPLY], [SYSTEM, USER, REPLY]),
        (True, [SYSTEM, USER, REPLY], [OURS, USER, REPLY]),
    ],
)
def test_every_conversation_opens_with_a_system_prompt(
    replace: bool, messages: Any, expected: Iterable[Any]
) -> None:
    assert after(AddSystemPrompt(" Ours\n", replace), messages)["messages"] == expected
