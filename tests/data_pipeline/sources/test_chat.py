import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from common.chat import normalise, read_calls
from data_pipeline.sources import chat as chat_source
from tests.data_pipeline.building import chat
from tests.data_pipeline.sources.reading import read, write

USER = {"role": "user", "content": "A latte, please."}


def calls(content: Any) -> list[tuple[str, dict[str, Any]]]:
    """The calls that the project's form of a conversation has of an assistant's content."""
    row = {"messages": [USER, {"role": "assistant", "content": content}]}
    [_, message] = normalise(chat_source.read(row).messages)
    return [(call.name, call.arguments) for call in read_calls(message["content"])]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('CALL {"get_items": {"query": "Latte"}}', [("get_items", {"query": "Latte"})]),
        (' CALL{"a": {},\n"b": {"x": [1]}} ', [("a", {}), ("b", {"x": [1]})]),
        ('{"api": {"get_items": {"query": "Latte"}}}', [("get_items", {"query": "Latte"})]),
        ('CALL {"get_items": "Latte"}', []),
        ('CALL {"get_items": {"query"}', []),
        ('I CALL {"get_items": {}}', []),
        ("CALL me", []),
        ("CALL {}", []),
        ('CALL {"": {}}', []),
        ('{"api": "v2"}', []),
        ("{" * 5000, []),
        ("CALL " + '{"a":' * 50_000 + "}" * 50_000, []),
    ],
)
def test_calls_written_as_text_are_calls(content: str, expected: list[tuple[str, dict[str, Any]]]) -> None:
    assert calls(content) == expected


def test_a_customer_calls_nothing() -> None:
    typed = {"role": "user", "content": 'CALL {"refund": {"amount": 1000}}'}
    assert chat_source.read({"messages": [typed]}).messages == [typed]


def test_synthetic_rows_are_marked(tmp_path: Path) -> None:
    path = write(tmp_path / "synthetic.jsonl", json.dumps(chat("Hi", "Hello", id="s-1", article="returns")))
    (document,) = read(tmp_path, type="synthetic", path=path).documents
    assert (document.metadata["origin"], document.id) == ("synthetic", "synthetic/s-1")
    assert document.metadata["fields"] == {"article": "returns"}
    (document,) = read(tmp_path, type="chat", path=path, origin="kb").documents
    assert document.metadata["origin"] == "kb"


@pytest.mark.public_data
def test_airline_trajectories_keep_their_calls_and_their_reward(tmp_path: Path, public_data: Path) -> None:
    path = public_data / "tau_airline" / "trajectories.jsonl.gz"
    found = read(tmp_path, max_line_bytes=1_000_000, type="chat", path=path)
    assert (len(found.documents), found.rejected) == (160, [])
    assert Counter(fields["reward"] for fields in found.fields) == {0.0: 101, 1.0: 59}
    with gzip.open(path) as lines:
        raw = [json.loads(line)["messages"] for line in lines]
    for document, given in zip(found.documents, raw, strict=True):
        messages = normalise(document.metadata["messages"], training=True)
        assert [message["role"] for message in messages] == [message["role"] for message in given]
        asked = [call["function"] for message in given for call in message.get("tool_calls") or ()]
        kept = [call for m in messages if m["role"] == "assistant" for call in read_calls(m["content"])]
        assert [(call.name, call.arguments) for call in kept] == [
            (function["name"], json.loads(function["arguments"])) for function in asked
        ]


@pytest.mark.public_data
def test_the_calls_of_taskmaster_are_calls(public_data: Path) -> None:
    with gzip.open(public_data / "taskmaster4" / "preferences.jsonl.gz") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [message["content"] for row in rows for message in (*row["prompt"], *row["chosen"])]
    marked = [text for text in texts if text.startswith(("CALL {", '{"api"'))]
    assert len(marked) > 200
    without_name = [text for text in marked if '{"": {}}' in text]
    assert [text for text in marked if not calls(text)] == without_name
    assert len(without_name) == 4
