"""What tests read in made tickets."""

from typing import Any

Made = list[tuple[dict[str, Any], dict[str, Any]]]
"""Rows with their truth."""


def bodies(ticket: dict[str, Any]) -> tuple[str, ...]:
    return tuple(comment["body"] for comment in ticket["comments"])


def public(ticket: dict[str, Any]) -> list[dict[str, Any]]:
    return [comment for comment in ticket["comments"] if comment["public"]]
