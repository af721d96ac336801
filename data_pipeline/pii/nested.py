"""The texts within nested data, such as the fields of a ticket."""

from collections.abc import Iterator
from typing import Any


def texts_in(value: Any) -> Iterator[str]:
    """Every string within lists and the values of objects, in order. Keys and numbers are no texts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


def with_texts(value: Any, texts: Iterator[str]) -> Any:
    """The same data with its strings taken from `texts`, in the order of `texts_in`."""
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, dict):
        return {key: with_texts(item, texts) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_texts(item, texts) for item in value]
    return value
