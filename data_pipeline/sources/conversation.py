"""What every source turns its rows into."""

from dataclasses import dataclass, field
from typing import Any

from data_pipeline.sources.labels import Label


class RowError(ValueError):
    """A row that is not of its source's format. `reason` is stable; the text names no content."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Conversation:
    """A conversation, not yet cleaned or checked.

    `messages` have role and content, and `internal: True` where the customer does not see them. Rows of the
    same customer, e-mail address or thread stay together in one split. `fields` is what else the row says,
    `labels` who has called it what.
    """

    messages: Any
    id: str | None = None
    customer: str | None = None
    email: str | None = None
    thread: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)


def key_text(value: object) -> str | None:
    """An id as text, whether it came as a number or as text; None for what is no id."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    return str(value).strip() or None


def blank(content: Any) -> bool:
    """Nothing, or text with nothing but white space; what is no text is left to the checks."""
    return content is None or (isinstance(content, str) and not content.strip())


def as_dict(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
