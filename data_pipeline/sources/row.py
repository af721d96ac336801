"""A row between its file and its conversation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_pipeline.rows import RawRow


class RowDefect(ValueError):
    """A row that can't be read. `reason` is stable; the text names no content."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Row:
    """A row as it lay in its file, and either the `data` in it or its `defect` (reason, detail)."""

    raw: RawRow
    data: dict[str, Any] | None = None
    defect: tuple[str, str] | None = None


def parsed(raw: RawRow, parse: Callable[[str], dict[str, Any]], max_bytes: int) -> Row:
    """What `parse` makes of a raw row; it may raise RowDefect."""
    if isinstance(raw.data, Path):
        return Row(raw, defect=("line_too_long", f"longer than max_line_bytes, {max_bytes}"))
    try:
        return Row(raw, parse(raw.data.decode("utf-8")))
    except UnicodeDecodeError as error:
        return Row(raw, defect=("invalid_utf8", f"{error.reason} at byte {error.start} of the row"))
    except RowDefect as error:
        return Row(raw, defect=(error.reason, str(error)))
