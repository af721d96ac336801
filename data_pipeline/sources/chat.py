"""Plain chat rows: `{"messages": [{"role": "user", "content": "..."}, ...]}`.

Optional beside it: `id`, `customer_id`, `conversation_id`, `labels` (a list of `{"by", "label", "at"}`);
`"internal": true` on a message that the customer does not see. Calls of tools are as in the OpenAI format, or
text as Taskmaster-4 has it: `CALL {"find_order": {"number": "MA-1042"}}`. All other keys are kept as the
row's fields.
"""

import json
import re
from typing import Any

from data_pipeline.sources.conversation import Conversation, RowError, key_text
from data_pipeline.sources.labels import given_labels

_KEYS = ("messages", "id", "customer_id", "conversation_id")
_CALL = re.compile(r'\s*(?:CALL\s*(?P<call>\{.*\})|(?P<api>\{\s*"api"\s*:.*\}))\s*', re.DOTALL)


def read(row: dict[str, Any]) -> Conversation:
    """Raises RowError when there are no messages."""
    if "messages" not in row:
        raise RowError("no_messages", "the row has no key 'messages'")
    messages, row_id = row["messages"], key_text(row.get("id"))
    fields = {key: value for key, value in row.items() if key not in _KEYS}
    labels = given_labels(fields.get("labels"))
    if labels is not None:
        del fields["labels"]
    return Conversation(
        messages=[_with_calls(each) for each in messages] if isinstance(messages, list) else messages,
        id=row_id,
        customer=key_text(row.get("customer_id")),
        thread=key_text(row.get("conversation_id")) or row_id,
        fields=fields,
        labels=labels or [],
    )


def _with_calls(message: Any) -> Any:
    """The message, with calls that are its whole text in the OpenAI format."""
    if not isinstance(message, dict) or message.get("role") != "assistant":
        return message
    content = message.get("content")
    match = _CALL.fullmatch(content) if isinstance(content, str) else None
    if match is None:
        return message
    try:
        calls = json.loads(match["call"] or match["api"])
    except (ValueError, RecursionError):
        return message
    calls = calls if match["call"] else calls["api"]
    if not isinstance(calls, dict) or not calls or not all(calls):  # a call without a name is text
        return message
    if not all(isinstance(arguments, dict) for arguments in calls.values()):
        return message
    functions = [{"name": name, "arguments": arguments} for name, arguments in calls.items()]
    return message | {"content": None, "tool_calls": [{"function": function} for function in functions]}
