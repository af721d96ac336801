"""The split against plain hashing and scikit-learn's StratifiedGroupKFold: shares of topics, and who moves.

    python -m benchmarks.split

Rows are generated: 40 topics from frequent to rare, four rows for three customers. The share
of a topic that lands in train, val and test is compared with 80, 10 and 10 %; then 1, 5 and 20 % more rows
come, and the old ones that change their part are counted.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from common.console import table
from common.seeds import DATA_SPLIT, unit_hash
from data_pipeline.config import SPLITS, Split
from data_pipeline.groups import Groups
from data_pipeline.split import SplitRow, split_rows

SIZES = (1_000, 6_000, 50_000)
LARGE = 200_000
MORE = (0.01, 0.05, 0.2)
TOPICS = 40
SPLIT = Split()


def main() -> None:
    """Print two tables."""
    rows = []
    for size in SIZES:
        tickets = generate(int(size * (1 + max(MORE))), customers=size * 3 // 4)
        for name, cut in CUTS.items():
            started = time.perf_counter()
            parts = cut(tickets[:size])
            seconds = time.perf_counter() - started
            moved = [_moved(parts, cut(tickets[: int(size * (1 + more))])) for more in MORE]
            figures = (*_deviation(tickets, parts), *(f"{share:.2%}" for share in moved), f"{seconds:.1f}")
            rows.append((f"{size:,}", name, *figures))
    columns = ("rows", "", "mean", "largest", "missing", *(f"+{more:.0%}" for more in MORE), "seconds")
    table("distance of topics' shares, parts that lack a topic, rows that move", columns, rows)
    started = time.perf_counter()
    split_rows(generate(LARGE, customers=LARGE * 3 // 4), SPLIT, DATA_SPLIT)
    table("ours", ("rows", "seconds"), [(f"{LARGE:,}", f"{time.perf_counter() - started:.1f}")])


def generate(count: int, customers: int) -> list[SplitRow]:
    """Rows; the first are the same whatever the count."""
    draw = random.Random(0)
    weights = [1 / (n + 1) for n in range(TOPICS)]
    return [
        SplitRow(
            str(n),
            [f"customer:{draw.randrange(customers)}", f"thread:{n}"],
            f"topic {draw.choices(range(TOPICS), weights)[0]}",
        )
        for n in range(count)
    ]


def by_hash(rows: Sequence[SplitRow]) -> list[str]:
    """Each group by itself."""
    positions = [unit_hash(group, DATA_SPLIT) for group in _groups(rows)]
    return ["train" if p < 0.8 else "val" if p < 0.9 else "test" for p in positions]


def by_topics(rows: Sequence[SplitRow]) -> list[str]:
    """Ours."""
    return split_rows(rows, SPLIT, DATA_SPLIT).parts


def by_folds(rows: Sequence[SplitRow]) -> list[str]:
    """Ten folds, of which the first two are val and test."""
    import warnings

    from sklearn.model_selection import StratifiedGroupKFold

    parts = np.array(["train"] * len(rows), dtype=object)
    folds = StratifiedGroupKFold(10, shuffle=True, random_state=DATA_SPLIT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # topics of fewer rows than folds
        found = folds.split(np.zeros(len(rows)), [row.topic for row in rows], _groups(rows))
        for name, (_, places) in zip(("val", "test"), found, strict=False):
            parts[places] = name
    return [str(part) for part in parts]


CUTS: dict[str, Callable[[Sequence[SplitRow]], list[str]]] = {
    "hash alone": by_hash,
    "ours": by_topics,
    "StratifiedGroupKFold": by_folds,
}


def _groups(rows: Sequence[SplitRow]) -> list[str]:
    groups = Groups()
    for row in rows:
        groups.join(row.keys)
    return [groups.find(row.keys[0]) for row in rows]


def _deviation(rows: Sequence[SplitRow], parts: Sequence[str]) -> tuple[str, str, int]:
    """Mean and largest distance from the share asked for, and topic-part pairs without a row."""
    totals: Counter[str | None] = Counter()
    found: Counter[tuple[str | None, str]] = Counter()
    for row, part in zip(rows, parts, strict=False):
        totals[row.topic] += 1
        found[row.topic, part] += 1
    pairs = [(topic, part) for topic in totals for part in SPLITS]
    far = [abs(found[pair] / totals[pair[0]] - getattr(SPLIT, pair[1])) for pair in pairs]
    return f"{np.mean(far):.4f}", f"{max(far):.4f}", sum(found[pair] == 0 for pair in pairs)


def _moved(before: Sequence[str], after: Sequence[str]) -> float:
    return float(np.mean([a != b for a, b in zip(before, after, strict=False)]))


if __name__ == "__main__":
    main()
