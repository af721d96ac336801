"""Tool calls as text: a line of JSON in what the assistant says.

    {"name": "find_order", "arguments": {"number": "MA-1042"}}

So a message is still a role and a content: what scrubs, compares or scores contents sees the arguments of a
call too, and every chat family can write it. `normalise` makes such lines of the `tool_calls` of the OpenAI
format; what a tool answers is a message of the role `tool`.
"""

import json
from dataclasses import dataclass
from typing import Any

from common import strict_json


@dataclass(frozen=True)
class ToolCall:
    """A function's name and the arguments it is called with."""

    name: str
    arguments: dict[str, Any]

    @property
    def line(self) -> str:
        """The call as it stands in a message. Raises ValueError when the arguments are no JSON."""
        call = {"name": self.name, "arguments": self.arguments}
        return json.dumps(call, ensure_ascii=False, allow_nan=False)


def parse_calls(tool_calls: object) -> list[ToolCall]:
    """The calls in an OpenAI message's `tool_calls`; arguments may be JSON text or an object already.

    Raises ValueError, with a text that quotes nothing, for anything else.
    """
    if not isinstance(tool_calls, (list, tuple)):
        raise ValueError("tool_calls is not a list")
    return [parse_call(call.get("function") if isinstance(call, dict) else None) for call in tool_calls]


def parse_call(function: object) -> ToolCall:
    """One call from its `name` and `arguments`. Raises ValueError."""
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        raise ValueError("a call names no function")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        arguments = _json(arguments) if arguments.strip() else {}
    if not isinstance(arguments, dict):
        raise ValueError("the arguments of a call are no JSON object")
    return ToolCall(function["name"], arguments)


def read_calls(content: str) -> list[ToolCall]:
    """The calls in the content of an assistant's message, in its order."""
    return [call for line in content.split("\n") if (call := _call(line)) is not None]


def without_calls(content: str) -> str:
    """What an assistant's message says to the customer: its content without the lines that are calls."""
    if '{"name": ' not in content:
        return content
    return "\n".join(line for line in content.split("\n") if _call(line) is None).strip()


def _call(line: str) -> ToolCall | None:
    if not line.startswith('{"name": '):
        return None
    try:
        value = _json(line)
        return parse_call(value) if value.keys() == {"name", "arguments"} else None
    except (ValueError, AttributeError):
        return None


def _json(text: str) -> Any:
    try:
        return strict_json.parse(text)
    except (ValueError, RecursionError):
        raise ValueError("the arguments of a call are no JSON object") from None
