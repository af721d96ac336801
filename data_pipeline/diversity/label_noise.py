"""Labels that are probably wrong: confident learning (Northcutt, Jiang and Chuang 2021).

A model that has not seen a row says how likely each class is for it. The row is suspected when it is
confidently of another class than its label says: as likely as rows labelled with that class are on average.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common import seeds
from common.seeds import unit_hash
from data_pipeline.diversity.models import Floats, Ints, Regression, hash_order

FOLDS = 5
FEWEST = 2 * FOLDS
"""Rows of a class, at the least: with fewer, a fold's model would hardly know the class."""


@dataclass(frozen=True)
class LabelNoise:
    """What was found, a value a row.

    Attributes:
        suspected: whether the label is probably wrong; None where it was not judged (no label, a rare class).
        confidence: how likely the label is, 0 to 1; None likewise. The lowest first is the order to check in.
        likelier: the class that a suspected row seems to be of.
    """

    suspected: list[bool | None]
    confidence: list[float | None]
    likelier: list[str | None]


def find_label_noise(
    labels: Sequence[str | None],
    keys: Sequence[str],
    embeddings: Floats,
    fit_rows: int = 20_000,
    seed: int = seeds.SAMPLER,
) -> LabelNoise:
    """Suspect labels by those of other rows that mean about the same.

    Args:
        labels: of the rows; None where there is none.
        keys: a row is judged by rows of other keys: its id, or its cluster of near-duplicates, which may all
            have the same wrong label.
        embeddings: a vector a row, shape (rows, dim).
        fit_rows: each of the 5 models is fitted on no more rows than these.
    """
    rows = len(labels)
    found = LabelNoise([None] * rows, [None] * rows, [None] * rows)
    sizes = Counter(label for label in labels if label is not None)
    classes = sorted(label for label, size in sizes.items() if size >= FEWEST)
    if len(classes) < 2:
        return found
    number = {label: index for index, label in enumerate(classes)}
    places = [place for place in hash_order(keys, seed).tolist() if labels[place] in number]
    given = np.array([number[labels[place] or ""] for place in places])
    folds = np.array([int(unit_hash(keys[place], seed + 1) * FOLDS) for place in places])
    likely = _out_of_fold(np.asarray(embeddings)[places], given, folds, len(classes), fit_rows)
    for row, place in enumerate(places):
        found.confidence[place] = float(likely[row, given[row]])
    for place, mine, other in zip(places, given, confident_classes(likely, given), strict=True):
        found.suspected[place] = bool(other != mine)
        found.likelier[place] = classes[other] if other != mine else None
    return found


def confident_classes(likely: NDArray[np.float64], given: Ints) -> Ints:
    """The class that each row is confidently of, shape (rows,): equation 2 of the paper; else the given one.

    Args:
        likely: probability of each class by a model that has not seen the row, shape (rows, classes).
        given: the row's label.
    """
    classes = likely.shape[1]
    sums = np.bincount(given, weights=likely[np.arange(len(given)), given], minlength=classes)
    thresholds = sums / np.maximum(np.bincount(given, minlength=classes), 1)
    confident = np.where(likely >= np.where(thresholds > 0, thresholds, np.inf), likely, -1.0)
    best: Ints = confident.argmax(axis=1)
    return np.where(confident.max(axis=1) >= 0, best, given)


def _out_of_fold(
    vectors: Floats, given: Ints, folds: Ints, classes: int, fit_rows: int
) -> NDArray[np.float64]:
    """Probabilities of each row by a model of the other folds' rows; rows come in the order of a hash."""
    likely = np.zeros((len(given), classes))
    for fold in range(FOLDS):
        others = np.flatnonzero(folds != fold)[:fit_rows]
        mine = folds == fold
        if mine.any() and len(set(given[others])) > 1:
            likely[mine] = Regression(vectors[others], given[others], classes).probabilities(vectors[mine])
    return likely
