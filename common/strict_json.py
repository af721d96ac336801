"""JSON as RFC 8259 has it: Python's own parser also takes NaN, and numbers that no float can hold."""

import json
import math
import re
from typing import Any, NoReturn

_LONG_NUMBER = re.compile(r"[0-9]{309}")
"""Beyond that, a whole number is none for what counts with floats."""


def parse(text: str) -> Any:
    """The value of a JSON text. Raises ValueError (JSONDecodeError), and RecursionError for deep nesting."""
    whole = _finite_int if _LONG_NUMBER.search(text) else None
    return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=whole)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _finite_int(number: str) -> int:
    _finite(number)
    return int(number)
