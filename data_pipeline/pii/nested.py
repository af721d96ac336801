"""The texts within nested data, such as the fields of a ticket."""

from collections.abc import Iterator
from typing import Any

_LONG = 1_000_000


def texts_in(value: Any) -> Iterator[str]:
    """Every string within lists and the values of objects, in order, and whole numbers that may be a phone's.

    Keys and shorter numbers are no texts.
    """
    if isinstance(value, str):
        yield value
    elif _is_long_number(value):
        yield str(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


def with_texts(value: Any, texts: Iterator[str]) -> Any:
    """The same data with its texts taken from `texts`, in the order of `texts_in`."""
    if isinstance(value, str):
        return next(texts)
    if _is_long_number(value):
        text = next(texts)
        return value if text == str(value) else text
    if isinstance(value, dict):
        return {key: with_texts(item, texts) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_texts(item, texts) for item in value]
    return value


def _is_long_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LONG
