"""A dataset's rows as arrays of hashes: some 26 bytes a row, however long its messages are."""

import hashlib
import json
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.console import track
from common.errors import UserError
from data_pipeline.audit.model import EDGES

Hashes = npt.NDArray[np.uint64]
REJECTED = "rejected.jsonl"
_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Index:
    """Rows of the splits and holdouts, sorted by the hash of their id; ids that come twice once.

    `place` is an index into `places`. `said` hashes the messages, `known` the meta data without file and
    line. `distributions` are rows by value, for each of language, topic, source, origin and length.
    """

    places: list[str]
    ids: Hashes
    place: npt.NDArray[np.uint16]
    said: Hashes
    known: Hashes
    twice: int
    distributions: dict[str, Counter[str]] = field(default_factory=dict)


def read_index(files: dict[str, Path]) -> Index:
    """Read datasets' files, by split or holdout. Raises UserError for a line that is no row."""
    ids, place, said, known = array("Q"), array("H"), array("Q"), array("Q")
    distributions: defaultdict[str, Counter[str]] = defaultdict(Counter)
    names = list(files)
    for number, name in enumerate(names):
        for row in track(read_rows(files[name]), f"reading {name}", unit="rows"):
            meta = {**row["meta"], "source": row["meta"]["source"].get("name")}
            ids.append(hash64(row["id"]))
            place.append(number)
            said.append(hash64(row["messages"]))
            known.append(hash64(meta))
            for what, value in _values(row["messages"], meta):
                distributions[what][value] += 1
    unique, first = np.unique(np.asarray(ids, dtype=np.uint64), return_index=True)
    return Index(
        places=names,
        ids=unique,
        place=np.asarray(place, dtype=np.uint16)[first],
        said=np.asarray(said, dtype=np.uint64)[first],
        known=np.asarray(known, dtype=np.uint64)[first],
        twice=len(ids) - len(unique),
        distributions=dict(distributions),
    )


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of the dataset. Raises UserError."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                sound = isinstance(row["id"], str) and isinstance(row["meta"]["source"], dict)
                sound = sound and all(isinstance(message["content"], str) for message in row["messages"])
            except (ValueError, KeyError, TypeError, RecursionError):
                sound = False
            if not sound:
                raise UserError(
                    f"line {number} of '{path}' is no row of a dataset", "build the dataset again"
                )
            yield row


def read_ids(path: Path) -> Iterator[str]:
    """The ids of a file of the dataset, without reading the rest of its rows."""
    for head in _heads(path):
        yield str(_first_fields(head, ("id",)).get("id"))


def read_rejected(path: Path) -> tuple[Hashes, list[str]]:
    """Hashed ids and reasons of the rejected rows, in their order; nothing when there is no such file."""
    ids, reasons = array("Q"), []
    if path.is_file():
        for head in _heads(path):
            found = _first_fields(head, ("id", "reason"))
            if isinstance(found.get("id"), str) and isinstance(found.get("reason"), str):
                ids.append(hash64(found["id"]))
                reasons.append(found["reason"])
    return np.asarray(ids, dtype=np.uint64), reasons


def hash64(value: Any) -> int:
    """The same for equal JSON values, whatever the order of their keys."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _values(messages: list[dict[str, Any]], meta: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for what in ("language", "topic", "source", "origin"):
        if isinstance(meta.get(what), str):
            yield what, meta[what]
    said = sum(len(message["content"]) for message in messages if message.get("role") != "system")
    edges = EDGES["characters"]
    yield "length", f"from {edges[min(bisect_right(edges, said), len(edges) - 1) - 1]:,.0f} characters"


def _heads(path: Path) -> Iterator[str]:
    """The beginning of each line: a rejected row may be too long for memory."""
    with path.open("rb") as file:
        while head := file.readline(_HEAD_BYTES):
            part = head
            while not part.endswith(b"\n") and (part := file.readline(_HEAD_BYTES)):
                pass
            yield head.decode("utf-8", "replace")


def _first_fields(text: str, wanted: Iterable[str]) -> dict[str, Any]:
    """Read an object's fields until those wanted were among them, or the text ends."""
    decoder, position = json.JSONDecoder(), 1
    found: dict[str, Any] = {}
    try:
        while not found.keys() >= set(wanted):
            key, position = decoder.raw_decode(text, _skip(text, position))
            found[key], position = decoder.raw_decode(text, _skip(text, position))
    except (ValueError, IndexError, TypeError, RecursionError):
        pass
    return found


def _skip(text: str, position: int) -> int:
    while text[position] in " ,:":
        position += 1
    return position
