"""Pairs of rows that are worth comparing: locality-sensitive hashing of their signatures.

Texts are similar when they agree in one of many bands of few numbers (Leskovec et al., Mining of Massive
Datasets, 3.4). A bucket, the rows that agree in a band, may hold thousands: see `rounds`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_pipeline.level1.signatures import PERMUTATIONS

Rows = NDArray[np.int64]

# A pair with Jaccard similarity s agrees in one of b bands of r numbers with probability 1 - (1 - s^r)^b:
# of 32 bands of 4, .70 -> .9998, .50 -> .87. A word is much of a short text, so these have 42 bands of 3:
# .50 -> .996, .40 -> .94. Too many long texts would agree in those by chance.
_BANDS = [range(band * 4, band * 4 + 4) for band in range(PERMUTATIONS // 4)]
_SHORT_BANDS = [range(band * 3, band * 3 + 3) for band in range(PERMUTATIONS // 3)]
_SHORT = 150
_MAX_PIVOTS = 64
_ROUND = 100_000


@dataclass(frozen=True)
class Buckets:
    """Rows that agree in a band: bucket k is `members[starts[k] : starts[k] + sizes[k]]`, two or more."""

    members: Rows
    starts: Rows
    sizes: Rows

    def rounds(self) -> Iterator[tuple[Rows, Rows]]:
        """Yield pairs of rows: those of every bucket's first row with the others, then its second's, ...

        Whoever joins rows after each round can leave out pairs that are joined by now, so that a bucket of a
        thousand like texts costs a thousand comparisons and not half a million. The number of rounds is
        limited: rows in the rest of a very large bucket are found by their other bands.
        """
        members, starts, sizes = self.members, self.starts, self.sizes
        left, right, waiting = [], [], 0
        for pivot in range(_MAX_PIVOTS):
            open_ = sizes > pivot + 1
            starts, sizes = starts[open_], sizes[open_]
            counts = sizes - pivot - 1
            begin = np.repeat(starts + pivot + 1 - (np.cumsum(counts) - counts), counts)
            left.append(np.repeat(members[starts + pivot], counts))
            right.append(members[begin + np.arange(len(begin))])
            waiting += len(begin)
            if pivot == 0 or waiting > _ROUND or pivot == _MAX_PIVOTS - 1 or not len(sizes):
                yield np.concatenate(left), np.concatenate(right)
                left, right, waiting = [], [], 0
            if not len(sizes):
                return


def bands(signatures: NDArray[np.uint32], shingles: Rows, rows: Rows, similarity: float) -> Iterator[Buckets]:
    """Yield the buckets of every band, among the given rows."""
    # Sets of sizes that differ more are not similar, so that two texts of a pair are both short or both here.
    long = rows[shingles[rows] >= similarity * _SHORT]
    for columns in _BANDS:
        yield _buckets(signatures, long, columns)
    short = rows[shingles[rows] <= _SHORT]
    for columns in _SHORT_BANDS:
        yield _buckets(signatures, short, columns)


def _buckets(signatures: NDArray[np.uint32], rows: Rows, columns: range) -> Buckets:
    keys = np.zeros(len(rows), np.uint64)
    for column in columns:
        keys = (keys ^ signatures[rows, column]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    # A row's place takes the lowest bits of its key, so that one fast sort orders by key, then by row.
    low = np.uint64((1 << len(rows).bit_length()) - 1)
    keys = np.sort(keys & ~low | np.arange(len(rows), dtype=np.uint64))
    order, keys = (keys & low).astype(np.int64), keys & ~low
    edges = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]]))
    sizes = np.diff(edges)
    several = sizes > 1
    return Buckets(rows[order], edges[:-1][several], sizes[several])


def agreeing(signatures: NDArray[np.uint8], pairs: tuple[Rows, Rows]) -> NDArray[np.float64]:
    """The share of numbers that two signatures have in common, for every pair of rows.

    Eight bits of each number do (Li and König 2010): a 256th of the others agree by chance.
    """
    left, right = pairs
    numbers = signatures.shape[1]
    shares = np.empty(len(left))
    for start in range(0, len(left), 1 << 13):
        part = slice(start, start + (1 << 13))
        shares[part] = (signatures[left[part]] == signatures[right[part]]).sum(1, np.uint8)
    return shares / numbers
