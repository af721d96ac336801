"""Messages, and the one rule for what a conversation may look like.

`normalise` is applied to every conversation before it becomes text: when the dataset is built (a refused row
is quarantined under the error's `reason`), when it is rendered for training, and by the gateway before a
request reaches the engine. So training and serving can't disagree about what a customer's words look like.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, TypedDict, cast, get_args

from common.chat.tools import ToolCall, parse_call, parse_calls

Role = Literal["system", "user", "assistant", "tool"]


class Message(TypedDict):
    """One turn of a conversation, in the OpenAI chat format, but with calls as text (`common.chat.tools`)."""

    role: Role
    content: str


Reason = Literal[
    "no_messages",  # not a list, or an empty one
    "bad_message",  # not an object with text as content
    "bad_tool_call",  # not the assistant's, or not a function's name and arguments in JSON
    "bad_role",  # not system, user, assistant or tool
    "bad_unicode",  # half of a surrogate pair: it can't be written as UTF-8
    "empty_content",  # nothing but white space
    "system_not_first",
    "no_user_turn",
    "first_not_user",
    "tool_without_call",  # a tool speaks, but not after the assistant
    "no_assistant_turn",  # only where a conversation is for training
    "last_not_user",  # only where a reply is asked for: to the customer, or to what a tool has answered
]


class MessageError(ValueError):
    """A conversation that can't be used. `reason` is stable; the text names no content."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason


def normalise(messages: object, *, training: bool = False) -> list[Message]:
    """Check a conversation and bring it into the one form that the templates expect.

    Content is stripped and its control text disarmed (see `disarm`); neighbours of the same role are joined
    by a blank line; calls of tools become lines of the content (see `common.chat.tools`); keys other than
    role and content are left out. The result is an optional system message, then user and assistant in turn,
    user first, with tools speaking after the assistant only. Normalising it again changes nothing.

    Raises:
        MessageError: with the reason, for anything else; with `training`, also when no assistant turn is
            there to learn from.
    """
    if not isinstance(messages, (list, tuple)) or not messages:
        raise MessageError("no_messages", "expected a list of at least one message")
    merged: list[Message] = []
    for index, raw in enumerate(messages):
        message = _checked(raw, index)
        if merged and merged[-1]["role"] == message["role"]:
            both = (merged[-1]["content"], message["content"])
            merged[-1]["content"] = "\n\n".join(filter(None, both))  # a tool may have nothing to say
        else:
            merged.append(message)
    _check_order(merged)
    if training and not any(message["role"] == "assistant" for message in merged):
        raise MessageError("no_assistant_turn", "there is no reply to learn from")
    return merged


def awaits_reply(messages: Sequence[Message]) -> bool:
    """Say whether the assistant is next: the customer has spoken, or a tool has answered."""
    return messages[-1]["role"] in ("user", "tool")


# What every special token of a supported family's tokenizer begins with; `load_tokenizer` checks that. None
# has a bracket after its first character, so that a space behind that bracket leaves no other token whole.
_CONTROL_TEXT = re.compile(
    r"""
    <(?= (?: \|\w+\|                            # Llama 3, Qwen 2.5, tiny: <|eot_id|>, <|im_start|>, <|end|>
         | /?s | bos | eos | pad | unk          # Mistral, Gemma
         | mask | 2mass | unused\d+ | (?:start|end)_of_turn
         | /?tool_(?:call | response) | /?think # Qwen, no special tokens, but marks of its format
         ) > )
    | \[(?= (?: /?INST | TOOL_CALLS | /?(?:AVAILABLE_TOOLS | TOOL_RESULTS) | control_\d+   # Mistral
         | @BOS@ | toxicity=\d                                                             # Gemma
         ) \] )
    """,
    re.VERBOSE,
)


def is_control_text(text: str) -> bool:
    """Say whether `text` begins with what `disarm` would take apart."""
    return _CONTROL_TEXT.match(text) is not None


def disarm(text: str) -> str:
    """Put a space into whatever reads like a control token of any family: `<|eot_id|>` becomes `< |eot_id|>`.

    A tokenizer finds its special tokens anywhere in the rendered text, so a customer who types one could
    end a turn or open a system turn. The message is disarmed, not the encoding, because an engine renders
    and tokenizes by itself. With a plain space, because an invisible character may be lost in a later
    clean-up, and the token would be back. For all families at once, so that a dataset does not depend on
    the base model.
    """
    return _CONTROL_TEXT.sub(r"\g<0> ", text)


def _checked(raw: Any, index: int) -> Message:
    if not isinstance(raw, dict):
        raise MessageError("bad_message", f"message {index} is not an object")
    role, content = raw.get("role"), raw.get("content")
    if role not in get_args(Role):
        raise MessageError("bad_role", f"message {index}: expected one of {', '.join(get_args(Role))}")
    calls = _calls(raw, str(role), index)
    if content is None and calls:
        content = ""
    if not isinstance(content, str):
        raise MessageError("bad_message", f"message {index}: content is not text")
    content = "\n".join([content, *calls]).strip()
    if not content and role != "tool":
        raise MessageError("empty_content", f"message {index} has no text")
    try:
        content.encode("utf-8")
    except UnicodeEncodeError:
        raise MessageError("bad_unicode", f"message {index} holds half of a surrogate pair") from None
    return Message(role=cast(Role, role), content=disarm(content))


def _calls(raw: dict[str, Any], role: str, index: int) -> list[str]:
    """The lines of a message's calls, also of the older format that knew one `function_call` only."""
    many, one = raw.get("tool_calls"), raw.get("function_call")
    if not (many or one):
        return []
    if role != "assistant":
        raise MessageError("bad_tool_call", f"message {index} calls a tool, but is not the assistant's")
    try:
        calls: list[ToolCall] = [*(parse_calls(many) if many else []), *([parse_call(one)] if one else [])]
        return [call.line for call in calls]
    except (ValueError, TypeError, RecursionError):
        raise MessageError("bad_tool_call", f"message {index} calls a tool not by name and JSON") from None


def _check_order(messages: Sequence[Message]) -> None:
    """Neighbours differ in role here, so a user turn in front leaves only a system message out of place."""
    turns = messages[1:] if messages[0]["role"] == "system" else messages
    roles = [message["role"] for message in turns]
    if "system" in roles:
        raise MessageError("system_not_first", "a system message may only come first")
    if "user" not in roles:
        raise MessageError("no_user_turn", "nobody asks anything")
    if roles[0] != "user":
        raise MessageError("first_not_user", "the assistant speaks before the user")
    if any(role == "tool" and before != "assistant" for before, role in pairwise(roles)):
        raise MessageError("tool_without_call", "a tool may only speak after the assistant")
