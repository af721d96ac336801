"""Plain chat rows: `{"messages": [{"role": "user", "content": "..."}, ...]}`.

Optional beside it: `id`, `customer_id`, `conversation_id`; `"internal": true` on a message that the customer
does not see. All other keys are kept as the row's fields.
"""

from typing import Any

from data_pipeline.sources.conversation import Conversation, RowError, key_text

_KEYS = ("messages", "id", "customer_id", "conversation_id")


def read(row: dict[str, Any]) -> Conversation:
    """Raises RowError when there are no messages."""
    if "messages" not in row:
        raise RowError("no_messages", "the row has no key 'messages'")
    row_id = key_text(row.get("id"))
    return Conversation(
        messages=row["messages"],
        id=row_id,
        customer=key_text(row.get("customer_id")),
        thread=key_text(row.get("conversation_id")) or row_id,
        fields={key: value for key, value in row.items() if key not in _KEYS},
    )
