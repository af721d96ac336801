"""A conversation from the model's reply. Nothing is repaired: what is not as asked for is rejected."""

import re

from common.chat import Message, MessageError, normalise
from common.generation import Reply
from common.judge.parsing import ParseError, find_verdict

_FENCED = re.compile(r"```(?:json)?\n(.*)\n```", re.DOTALL)


class ReplyError(ValueError):
    """There is no conversation in a reply. `reason` is stable; the text quotes nothing."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read_reply(reply: Reply) -> list[Message]:
    """The messages: user and assistant in turn, the user first, the assistant last.

    The reply is one JSON object as `prompts.SCHEMA` says; it may stand in a Markdown code block, where many
    models put JSON whatever they are told.

    Raises:
        ReplyError: no_reply, cut, no_json, bad_form, bad_order, or a reason of `common.chat.MessageError`.
    """
    if reply.text is None:
        raise ReplyError("no_reply", reply.error or "")
    if reply.finish_reason == "length":
        raise ReplyError("cut", "the reply was cut at max_new_tokens")
    fenced = _FENCED.fullmatch(reply.text)
    try:
        value = find_verdict(fenced[1].strip() if fenced else reply.text, "", alone=True)
    except ParseError as error:
        raise ReplyError("no_json", str(error)) from None
    messages = value.get("messages")
    if set(value) != {"messages"} or not isinstance(messages, list):
        raise ReplyError("bad_form", "not an object with messages, a list, alone")
    for message in messages:
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            raise ReplyError("bad_form", "a message is no object with role and content alone")
    if [message["role"] for message in messages] != ["user", "assistant"] * max(1, len(messages) // 2):
        raise ReplyError("bad_order", "not user and assistant in turn, the assistant last")
    try:
        return normalise(messages, training=True)
    except MessageError as error:
        raise ReplyError(error.reason, str(error)) from None
