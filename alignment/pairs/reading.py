"""The rows of a file of pairs, each with its place, and the reasons of those that are none."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from alignment.pairs.config import PairsFile
from alignment.pairs.formats import Pair, PairError, read_pair


@dataclass(frozen=True)
class Refused:
    """A row that is not trained on: which, why, and what stood there."""

    id: str
    reason: str
    source: dict[str, Any]
    row: Any

    def line(self) -> dict[str, Any]:
        """The line of `rejected.jsonl`."""
        return {"id": self.id, "reason": self.reason, "source": self.source, "row": self.row}


def read_file(file: PairsFile) -> Iterator[Pair | Refused]:
    """Yield each row's pair, or why it is none. Ids are unique: `<source>/<the row's id or its line>`."""
    seen: set[str] = set()
    with _open(file.path) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            source = {"name": file.label, "file": file.path.name, "line": number}
            raw, broken = _parsed(line)
            identity = f"{file.label}/{_own_id(raw) or number}"
            if identity in seen:
                identity = f"{file.label}/{number}"
            seen.add(identity)
            if broken:
                yield Refused(identity, "not_json", source, None)
                continue
            try:
                pair = read_pair(raw, identity)
            except PairError as error:
                yield Refused(identity, error.reason, source, raw)
                continue
            pair.meta = {"source": source}
            yield pair


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _parsed(line: str) -> tuple[Any, bool]:
    try:
        return json.loads(line), False
    except (ValueError, RecursionError):
        return None, True


def _own_id(raw: Any) -> str | None:
    own = raw.get("id") if isinstance(raw, dict) else None
    return str(own) if isinstance(own, str | int) and str(own).strip() else None
