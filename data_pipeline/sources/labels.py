"""Who called a row what, and when, where its export says so."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

from data_pipeline.sources.columns import LabelColumns


class Label(TypedDict):
    """`at` is ISO 8601 where the export has a time, else as it is written there, or None."""

    by: str
    label: str
    at: str | None


def read_labels(row: dict[str, Any], columns: Sequence[LabelColumns], source: str) -> list[Label]:
    """The labels that the columns point to, in their order; empty cells give none."""
    labels: list[Label] = []
    for column in columns:
        by = _text(_find(row, column.by)) if column.by else None
        at = moment(_find(row, column.at)) if column.at else None
        cell = _find(row, column.label)
        for value in cell if isinstance(cell, list) else [cell]:
            if text := _text(value):
                labels.append({"by": by or source, "label": text, "at": at})
    return labels


def given_labels(value: Any) -> list[Label] | None:
    """A list of `{"by", "label", "at"}`, checked; None when it is anything else."""
    if not isinstance(value, list):
        return None
    labels: list[Label] = []
    for item in value:
        if not isinstance(item, dict) or not item.keys() <= {"by", "label", "at"}:
            return None
        by, label = _text(item.get("by")), _text(item.get("label"))
        if by is None or label is None:
            return None
        labels.append({"by": by, "label": label, "at": moment(item.get("at"))})
    return labels


def moment(value: Any) -> str | None:
    """A point in time as text: seconds since 1970 in ISO 8601, anything else as it is written."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _text(value)
    try:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(value)


def _find(row: Any, name: str) -> Any:
    """The value of a key, or of a path of keys with dots; in Zendesk's lists of ids and values, by the id."""
    if isinstance(row, dict) and name in row:
        return row[name]
    key, _, rest = name.partition(".")
    if not rest or not isinstance(row, dict):
        return None
    value = row.get(key)
    if isinstance(value, list):
        key, _, rest = rest.partition(".")
        found = [item for item in value if isinstance(item, dict) and str(item.get("id")) == key]
        value = found[0].get("value") if found else None
        return _find(value, rest) if rest else value
    return _find(value, rest)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        return None
    return str(value).strip() or None
