import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from data_pipeline.diversity import duplicates
from data_pipeline.diversity.config import DuplicateConfig
from data_pipeline.diversity.duplicates import SemanticDuplicate, semantic_duplicates


def find(
    vectors: NDArray[np.floating],
    scores: list[float | None] | None = None,
    languages: list[str | None] | None = None,
    ids: list[str] | None = None,
    **settings: float,
) -> list[SemanticDuplicate]:
    rows = len(vectors)
    ids = ids or [f"row {n}" for n in range(rows)]
    return semantic_duplicates(
        ids, scores or [None] * rows, languages or ["en"] * rows, vectors, DuplicateConfig(**settings)
    )


def at(*degrees: float) -> NDArray[np.float32]:
    """Unit vectors in a plane."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def by_hand(order: list[int], vectors: NDArray[np.floating], threshold: float) -> set[int]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    kept: list[int] = []
    for place in order:
        if not any(unit[other] @ unit[place] >= threshold for other in kept):
            kept.append(place)
    return set(order) - set(kept)


def test_the_better_row_stays_and_the_other_names_it():
    (found,) = find(at(0, 90, 10), scores=[0.2, 0.5, 0.9])
    assert (found.row, found.of, round(found.cosine, 3)) == (0, 2, 0.985)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_row_without_a_score_is_the_one_that_goes(missing):
    assert [(found.row, found.of) for found in find(at(0, 10), scores=[missing, 0.0])] == [(0, 1)]


def test_a_chain_does_not_take_what_is_far_from_the_row_that_stays():
    threshold = float(np.cos(np.radians(25)))
    found = find(at(0, 20, 40), scores=[3.0, 2.0, 1.0], threshold=threshold)
    assert [(pair.row, pair.of) for pair in found] == [(1, 0)]


def test_rows_in_languages_that_the_encoder_does_not_know_are_left_alone():
    same = at(0, 0, 0, 0)
    found = find(same, scores=[4.0, 3.0, 2.0, 1.0], languages=["en", "ko", None, "en"])
    assert [(pair.row, pair.of) for pair in found] == [(2, 0), (3, 0)]
    assert find(same, languages=["ko"] * 4) == []


def test_zeros_are_like_nothing_and_lengths_do_not_matter():
    vectors = np.array([[0, 0], [0, 0], [3, 0], [0.1, 0]], dtype=np.float16)
    assert [(found.row, found.of) for found in find(vectors, scores=[4.0, 3.0, 2.0, 1.0])] == [(3, 2)]


def test_no_rows():
    assert find(np.zeros((0, 8))) == []


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.sampled_from([0.3, 0.8, 0.95]))
def test_the_same_rows_go_as_by_hand_whatever_the_order(seed, rows, threshold):
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(rows, 4)).astype(np.float16)
    scores = draw.permutation(rows).astype(float)
    found = {pair.row for pair in find(vectors, list(scores), threshold=threshold)}
    order = sorted(range(rows), key=lambda place: -scores[place])
    assert found == by_hand(order, vectors.astype(np.float32), threshold)

    mixed = draw.permutation(rows)
    ids = [f"row {place}" for place in mixed]
    again = find(vectors[mixed], list(scores[mixed]), ids=ids, threshold=threshold)
    assert {int(mixed[pair.row]) for pair in again} == found


def test_blocks_and_dense_clusters_change_nothing(monkeypatch):
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(3, 8))
    vectors = np.repeat(centres, (1200, 30, 1), axis=0) + draw.normal(scale=0.02, size=(1231, 8))
    scores = list(draw.random(len(vectors)))
    expected = by_hand(sorted(range(len(vectors)), key=lambda place: -scores[place]), vectors, 0.999)
    assert 900 < len(expected) < 1228
    assert {pair.row for pair in find(vectors, scores, threshold=0.999)} == expected
    monkeypatch.setattr(duplicates, "_BLOCK", 100)
    assert {pair.row for pair in find(vectors, scores, threshold=0.999)} == expected
