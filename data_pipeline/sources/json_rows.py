"""Rows that are JSON objects."""

import json
from typing import Any

from common import strict_json
from data_pipeline.sources.row import RowDefect

MAX_DEPTH = 100


def parse(text: str) -> dict[str, Any]:
    """Parse a JSON object that can be written again as JSON and as UTF-8. Raises RowDefect."""
    try:
        row = strict_json.parse(text)
    except json.JSONDecodeError as error:
        raise RowDefect("broken_json", f"{error.msg} at character {error.pos} of the row") from None
    except RecursionError:
        raise RowDefect("broken_json", "nested too deeply") from None
    except ValueError as error:
        raise RowDefect("broken_json", str(error)) from None
    if not isinstance(row, dict):
        raise RowDefect("not_an_object", f"a {type(row).__name__} instead of an object")
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(row) > MAX_DEPTH:
        raise RowDefect("broken_json", f"nested more than {MAX_DEPTH} levels deep")
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise RowDefect("bad_unicode", "half of a surrogate pair: it can't be written as UTF-8") from None
    return row


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        nested = [item for item in level if isinstance(item, (dict, list))]
        level = [child for item in nested for child in (item.values() if isinstance(item, dict) else item)]
    return depth
