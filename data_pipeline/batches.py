"""Runs of documents that a step works on together."""

from collections.abc import Iterable, Iterator
from itertools import islice

from datatrove.data import Document


def batches(documents: Iterable[Document] | None, size: int) -> Iterator[list[Document]]:
    """The documents in lists of `size`; the last one may be shorter."""
    iterator = iter(documents or ())
    while batch := list(islice(iterator, size)):
        yield batch
