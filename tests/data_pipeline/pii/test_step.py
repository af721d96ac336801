"""The pipeline's step."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from datatrove.data import Document

from common.chat.tools import ToolCall, read_calls
from data_pipeline.pii import engine as engine_module
from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.engine import PiiEngine
from data_pipeline.steps.scrub_pii import ScrubPii
from tests.data_pipeline.pii.fake import FakeDetector


def _document(number: int, **fields: Any) -> Document:
    messages = [
        {"role": "user", "content": f"my name is Jo Field, order MA-000000{number}"},
        {"role": "assistant", "content": "Hello Jo,\none moment"},
        {"role": "tool", "content": '{"customer": {"mail": "jo@example.org", "city": "Leeds"}, "total": 12}'},
        {"role": "assistant", "content": "It goes to Leeds."},
    ]
    return Document(text="", id=f"shop/{number}", metadata={"messages": messages, "fields": fields})


def _run(step: ScrubPii, documents: list[Document]) -> list[Document]:
    return list(step.run(iter(documents)))


CONFIG = PiiConfig(detector=None, patterns={"ORDER_NUMBER": r"MA-\d{7}"})


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> FakeDetector:
    fake = FakeDetector({"Leeds": "LOCATION"})
    monkeypatch.setattr(engine_module, "load_engine", lambda config: PiiEngine(config, fake))
    return fake


def test_messages_and_fields(detector: FakeDetector) -> None:
    fields = {
        "subject": "Jo Field, MA-0000001",
        "created_at": "2024-01-08T07:02:00Z",
        "status": "solved",
        "tags": ["vip", "555-0142"],
        "custom_fields": [{"id": 360021, "value": "jo@example.org"}, {"id": 5, "value": None}],
    }
    [document] = _run(ScrubPii(CONFIG), [_document(1, **fields)])
    assert [message["content"] for message in document.metadata["messages"]] == [
        "my name is [NAME], order [ORDER_NUMBER]",
        "Hello [NAME],\none moment",
        '{"customer": {"mail": "[EMAIL]", "city": "[PLACE]"}, "total": 12}',
        "It goes to [PLACE].",
    ]
    assert [message["role"] for message in document.metadata["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert document.metadata["fields"] == {
        "subject": "[NAME], [ORDER_NUMBER]",
        "created_at": "2024-01-08T07:02:00Z",
        "status": "solved",
        "tags": ["vip", "[PHONE]"],
        "custom_fields": [{"id": 360021, "value": "[EMAIL]"}, {"id": 5, "value": None}],
    }
    assert document.metadata["pii"] == {
        "EMAIL_ADDRESS": 2, "LOCATION": 2, "ORDER_NUMBER": 2, "PERSON": 3, "PHONE_NUMBER": 1
    }  # fmt: skip


def test_documents_go_through_in_batches_and_in_order(detector: FakeDetector) -> None:
    documents = [_document(number % 10) for number in range(130)]
    step = ScrubPii(CONFIG)
    scrubbed = _run(step, documents)
    assert [document.id for document in scrubbed] == [f"shop/{number % 10}" for number in range(130)]
    assert all(document.metadata["pii"]["PERSON"] == 2 for document in scrubbed)
    assert len(detector.batches) == 3
    assert step.stats["PERSON"].total == 260


def test_nothing_to_do(detector: FakeDetector) -> None:
    document = Document(text="", id="a", metadata={"messages": [{"role": "user", "content": "Where is it?"}]})
    [scrubbed] = _run(ScrubPii(CONFIG), [document])
    assert scrubbed.metadata == {
        "messages": [{"role": "user", "content": "Where is it?"}],
        "fields": {},
        "pii": {},
    }
    assert _run(ScrubPii(CONFIG), []) == []


def test_the_step_can_be_sent_to_a_worker(tmp_path: Path) -> None:
    step = pickle.loads(pickle.dumps(ScrubPii(CONFIG)))
    [scrubbed] = _run(step, [_document(1)])
    assert scrubbed.metadata["messages"][0]["content"] == "my name is [NAME], order [ORDER_NUMBER]"


def test_calls_and_results_of_tools_stay_json(detector: FakeDetector) -> None:
    call = '{"name": "find_customer", "arguments": {"phone": 5550142, "mail": "jo@example.org", "page": 2}}'
    said = [
        {"role": "user", "content": "Call me at 555-0142"},
        {"role": "assistant", "content": f"One moment.\n{call}"},
        {"role": "tool", "content": '[{"order": "MA-0000001", "card": 4111111111111111, "days": 14}]'},
    ]
    config = CONFIG.model_copy(update={"patterns": {**CONFIG.patterns, "LINE": r"\b555\d{4}\b"}})
    document = Document(text="", id="a", metadata={"messages": said})
    [scrubbed] = _run(ScrubPii(config), [document])
    _, assistant, tool = (message["content"] for message in scrubbed.metadata["messages"])
    assert assistant.startswith("One moment.\n")
    assert read_calls(assistant) == [
        ToolCall("find_customer", {"phone": "[LINE]", "mail": "[EMAIL]", "page": 2})
    ]
    assert json.loads(tool) == [{"order": "[ORDER_NUMBER]", "card": "[CARD]", "days": 14}]


def test_long_numbers_in_fields_are_searched_too(detector: FakeDetector) -> None:
    fields = {"card": 4111111111111111, "count": 41111, "ticket": 12345678, "is_vip": True}
    [scrubbed] = _run(ScrubPii(CONFIG), [_document(1, **fields)])
    assert scrubbed.metadata["fields"] == {
        "card": "[CARD]",
        "count": 41111,
        "ticket": 12345678,
        "is_vip": True,
    }
