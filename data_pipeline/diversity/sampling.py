"""Which rows are kept: spread over topic, difficulty and sentiment, the best of each first.

A cell is a topic with a difficulty and a sentiment. Within a cell rows stand by score. The r-th of a cell of
n rows is due at (r - 1/2) / n^balance, and rows are kept in the order in which they are due until the budget
is used up: quotas rise like water in all cells at once, and small cells are full early. That is the divisor
method of Webster (Balinski and Young 1982, Fair Representation) over n^balance, so the budget is met to the
row, and a new row moves its neighbours by one place instead of every quota a little.

What must not be lost stands before what is merely due (`_RUNGS`), in this order: critical rows, the first
rows of each cell, of each topic, of the negative and of the hard. Rows of a topic that is over its cap stand
behind all others: they are kept only where these do not fill the budget.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from common.seeds import unit_hash
from data_pipeline.diversity.config import SamplingConfig

if TYPE_CHECKING:
    import pandas as pd

OVER_CAP = "over_cap"
OVER_QUOTA = "over_quota"
REASONS = (OVER_CAP, OVER_QUOTA)

NOT_KNOWN = "(none)"
_EPSILON = 1e-9  # 0.07 * 100 is a little more than 7
_CRITICAL, _CELL_FLOOR, _TOPIC_FLOOR, _SHARE_FLOOR, _DUE, _OVER_CAP = _RUNGS = range(6)

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def select(frame: "pd.DataFrame", config: SamplingConfig, rows_read: int) -> "pd.DataFrame":
    """Decide on every row of `frame`; the result depends neither on their order nor on the index.

    Args:
        frame: what is left of the rows: id (unique), topic, difficulty, sentiment (text or null), score (a
            number, the higher the better; null stands last) and critical (bool).
        rows_read: of these the share `config.keep_share` is kept, or all of `frame` if that is less.

    Returns:
        A frame with the index of `frame`: kept (bool); reason ("over_cap": its topic has more than its share;
        "over_quota": there are better rows of its cell, or rarer ones); detail, which names the cell. Reason
        and detail are null where kept.

    Raises:
        ValueError: an id occurs twice.
    """
    import pandas as pd

    if frame["id"].duplicated().any():
        raise ValueError("rows to select from need ids of their own")
    budget = min(len(frame), config.budget(rows_read))
    columns = [_known(frame[name]) for name in ("topic", "difficulty", "sentiment")]
    cells = ["/".join(cell) for cell in zip(*columns, strict=True)]
    queue = _Queue(frame, columns[0], cells, config)
    queue.raise_floors(columns[2], columns[1], config, budget)
    kept = np.zeros(len(frame), dtype=np.bool_)
    kept[queue.order()[:budget]] = True
    over_cap = queue.rung == _OVER_CAP
    reasons = np.where(kept, None, np.where(over_cap, OVER_CAP, OVER_QUOTA))  # type: ignore[call-overload]
    details = _details(columns[0], cells, kept, over_cap)
    return pd.DataFrame(
        {
            "kept": kept,
            "reason": pd.Series(reasons, index=frame.index, dtype=object),
            "detail": pd.Series(details, index=frame.index, dtype=object),
        },
        index=frame.index,
    )


class _Queue:
    """Rows in the order in which they are kept: by rung, then by when they are due, then by lot."""

    def __init__(
        self, frame: "pd.DataFrame", topics: Sequence[str], cells: Sequence[str], config: SamplingConfig
    ) -> None:
        ids = [str(row_id) for row_id in frame["id"]]
        draws = np.array([unit_hash(row_id, config.seed) for row_id in ids])
        self.lot = np.empty(len(ids), dtype=np.int64)
        self.lot[np.lexsort((np.array(ids, dtype=object), draws))] = np.arange(len(ids))
        self.critical: Flags = frame["critical"].to_numpy(dtype=np.bool_)
        self.topic, self.cell = _numbered(topics), _numbered(cells)
        score = frame["score"].to_numpy(dtype=np.float64, na_value=np.nan)
        best_first = np.lexsort((self.lot, np.where(np.isnan(score), np.inf, -score), ~self.critical))
        size = np.bincount(self.cell, minlength=1)[self.cell].astype(np.float64)
        self.due = (_nth(best_first, self.cell) + 0.5) / size**config.balance
        self.rung: Ints = np.full(len(ids), _DUE, dtype=np.int64)

    def order(self) -> Ints:
        """Places of the rows, first the one that is kept first."""
        return np.lexsort((self.lot, self.due, self.rung))

    def raise_floors(
        self, sentiments: Sequence[str], difficulties: Sequence[str], config: SamplingConfig, budget: int
    ) -> None:
        """Put rows that must not be lost before the others, and those over their topic's cap behind."""
        everything = np.zeros_like(self.topic)
        critical = math.ceil(config.max_critical_share * budget - _EPSILON)
        self._raise(_CRITICAL, everything, critical, self.critical)
        self._raise(_CELL_FLOOR, self.cell, config.min_cell_rows)
        self._raise(_TOPIC_FLOOR, self.topic, config.min_topic_rows)
        for values, value, share in (
            (sentiments, "negative", config.min_negative_share),
            (difficulties, "hard", config.min_hard_share),
        ):
            among = np.array([each == value for each in values], dtype=np.bool_)
            self._raise(_SHARE_FLOOR, everything, math.ceil(share * budget - _EPSILON), among)
        cap = math.floor(config.max_topic_share * budget + _EPSILON)
        over = (_nth(self.order(), self.topic) >= cap) & (self.rung == _DUE)
        self.rung[over] = _OVER_CAP

    def _raise(self, rung: int, groups: Ints, count: int, among: Flags | None = None) -> None:
        """Put the first `count` rows of each group, or of those `among` them, on `rung` at least."""
        order = self.order() if among is None else self.order()[among[self.order()]]
        first = order[_nth(order, groups)[order] < count]
        self.rung[first] = np.minimum(self.rung[first], rung)


def _known(column: "pd.Series[str]") -> list[str]:
    return column.astype(object).where(column.notna(), NOT_KNOWN).tolist()


def _numbered(values: Sequence[str]) -> Ints:
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return np.array([numbers[value] for value in values], dtype=np.int64)


def _nth(order: Ints, groups: Ints) -> Ints:
    """For each place in `order`, which row of its group it is there, from 0; elsewhere 0."""
    by_group = order[np.argsort(groups[order], kind="stable")]
    sizes = np.bincount(groups[order], minlength=1)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    nth = np.zeros(len(groups), dtype=np.int64)
    nth[by_group] = np.arange(len(order)) - starts
    return nth


def _details(topics: Sequence[str], cells: Sequence[str], kept: Flags, over_cap: Flags) -> list[str | None]:
    of_cell = Counter(cells)
    of_cell_kept = Counter(cell for cell, is_kept in zip(cells, kept, strict=True) if is_kept)
    of_topic_kept = Counter(topic for topic, is_kept in zip(topics, kept, strict=True) if is_kept)
    details: list[str | None] = []
    for topic, cell, is_kept, over in zip(topics, cells, kept, over_cap, strict=True):
        text = f"cell {cell}: {of_cell_kept[cell]} of {of_cell[cell]} kept"
        text += f"; {of_topic_kept[topic]} of the topic" if over else ""
        details.append(None if is_kept else text)
    return details
