"""Which row goes where, decided from the rows' ids, digests and keys alone."""

from collections import Counter
from dataclasses import dataclass

from common.provenance import digest
from common.seeds import unit_hash
from data_pipeline.config import Split
from data_pipeline.groups import Groups


@dataclass(frozen=True)
class IndexRow:
    """What the plan knows of a row: `digest` of what is said in it, `keys` that it shares with others."""

    id: str
    digest: str
    keys: list[str]
    holdout: str | None


@dataclass(frozen=True)
class Decision:
    """Either a split (or holdout), or the reason for leaving the row out."""

    id: str
    split: str | None = None
    group: str | None = None
    reason: str | None = None
    detail: str | None = None


class Plan:
    """Show all rows to `add`, in input order, then again to `decide`.

    Of rows that say the same the first one stays. Those that stay fall into groups that share a customer, an
    e-mail address or a thread, directly or through other rows, and each group goes to one split. A group that
    reaches into a holdout goes to test, so that its customer is not trained on and no row is lost.
    """

    def __init__(self, split: Split, seed: int) -> None:
        self.split = split
        self.seed = seed
        self.moved_to_test = 0
        self._first: dict[str, IndexRow] = {}
        self._groups = Groups()
        self._held_out: set[str] | None = None
        self._decided: set[str] = set()
        self._ids: Counter[str] = Counter()

    def add(self, row: IndexRow) -> None:
        """Take a row into account."""
        if self._first.setdefault(row.digest, row) is row:
            self._groups.join(_keys(row))

    def decide(self, row: IndexRow) -> Decision:
        """Decide on a row, after all rows were added."""
        first = self._first[row.digest]
        if row.digest in self._decided:
            held_out = first.holdout is not None and row.holdout is None
            reason = "in_holdout" if held_out else "duplicate"
            return Decision(row.id, reason=reason, detail=f"says the same as {first.id}")
        self._decided.add(row.digest)
        group = self._group(row)
        self._ids[row.id] += 1
        row_id = row.id if self._ids[row.id] == 1 else f"{row.id}#{self._ids[row.id]}"
        return Decision(row_id, split=row.holdout or self._split(group), group=digest(group)[:12])

    def _split(self, group: str) -> str:
        drawn = self._drawn(group)
        if self._held_out is None:
            self._held_out = {self._group(row) for row in self._first.values() if row.holdout}
        if group in self._held_out and drawn != "test":
            self.moved_to_test += 1
            return "test"
        return drawn

    def _drawn(self, group: str) -> str:
        position = unit_hash(group, self.seed)
        if position < self.split.train:
            return "train"
        return "val" if position < self.split.train + self.split.val else "test"

    def _group(self, row: IndexRow) -> str:
        return self._groups.find(_keys(row)[0])


def _keys(row: IndexRow) -> list[str]:
    """A row that shares nothing is a group by its text, so that it stays where it is whatever its line."""
    return row.keys or [f"text:{row.digest}"]
