"""Rows of tables whose columns have any names."""

from typing import Any

from data_pipeline.sources.columns import Columns
from data_pipeline.sources.conversation import Conversation, RowError, key_text

_TRUE = ("true", "yes", "1", "t", "y")


def read(row: dict[str, Any], columns: Columns) -> Conversation:
    """A question with its answer, or the turns that `join_turns` has put together. Raises RowError."""
    return _turns(row["turns"], columns) if columns.conversation else _pair(row, columns)


def _pair(row: dict[str, Any], columns: Columns) -> Conversation:
    named = {"system": columns.system, "user": columns.question, "assistant": columns.answer}
    texts = {role: _text(row.get(name), name) for role, name in named.items() if name}
    messages = [{"role": role, "content": text} for role, text in texts.items() if text or role != "system"]
    row_id = _key(row, columns.id)
    return Conversation(
        messages=messages,
        id=row_id,
        customer=_key(row, columns.customer),
        email=_email(row, columns),
        thread=row_id,
        fields=_fields([row], columns),
    )


def _turns(turns: list[dict[str, Any]], columns: Columns) -> Conversation:
    messages: list[dict[str, Any]] = []
    without_text = 0
    customer = email = None
    for index, row in enumerate(turns):
        role = _role(row, columns, index)
        content = _text(row.get(columns.text or ""), columns.text)
        if role == "user":  # an agent's address in the column must not join all customers of his
            customer, email = customer or _key(row, columns.customer), email or _email(row, columns)
        if content.strip():
            internal = columns.internal is not None and _is_true(row.get(columns.internal))
            messages.append({"role": role, "content": content, "internal": internal})
        else:
            without_text += 1
    conversation_id = _key(turns[0], columns.conversation)
    counted = {"turns_without_text": without_text} if without_text else {}
    return Conversation(
        messages=messages,
        id=conversation_id,
        customer=customer,
        email=email,
        thread=conversation_id,
        fields=_fields(turns, columns) | counted,
    )


def _role(row: dict[str, Any], columns: Columns, index: int) -> str:
    role = str(row.get(columns.role or "") or "").strip().lower()
    if role in columns.user_roles:
        return "user"
    if role in columns.assistant_roles:
        return "assistant"
    if role in ("system", "tool"):
        return role
    raise RowError("bad_role", f"turn {index}: '{columns.role}' is in neither user_roles nor assistant_roles")


def _text(value: Any, name: str | None) -> str:
    """A cell's text; a number is one too, where somebody has answered '42'."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise RowError("bad_message", f"'{name}' is not text")
    return str(value)


def _is_true(value: Any) -> bool:
    return value is True or str(value).strip().lower() in _TRUE


def _key(row: dict[str, Any], name: str | None) -> str | None:
    return key_text(row.get(name)) if name else None


def _email(row: dict[str, Any], columns: Columns) -> str | None:
    email = _key(row, columns.email)
    return email and email.lower()


def _fields(rows: list[dict[str, Any]], columns: Columns) -> dict[str, Any]:
    """Of each field the first value that says something."""
    fields: dict[str, Any] = {}
    for name, column in columns.fields.items():
        for row in rows:
            if (value := row.get(column)) not in (None, "", []):
                fields[name] = value
                break
    return fields
