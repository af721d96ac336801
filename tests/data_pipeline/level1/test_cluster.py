import random
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.groups import Groups
from data_pipeline.level1.cluster import Clusters, cluster
from data_pipeline.level1.compared import squeeze
from data_pipeline.level1.config import NearDuplicates
from data_pipeline.level1.similarity import Text, nearly_same
from tests.data_pipeline.level1.rows import Row, find

QUESTION = "my parcel was said to come on monday and now it is friday, where can it be?"
ANSWER = "I am sorry. The carrier lost a whole van this week, so I have sent you the same books again."
OTHER = "which series of yours would you give to somebody who has never read a manga before?"
ADVICE = "For a first one I would take a short and complete story, such as Seafloor Homeroom."


@pytest.mark.parametrize(
    ("rows", "reasons"),
    [
        ([(QUESTION, ANSWER), (OTHER, ADVICE)], [None, None]),
        ([(QUESTION, ANSWER), (QUESTION.upper(), f"{ANSWER}!")], [None, "duplicate"]),
        (
            [(QUESTION, ANSWER), (QUESTION.replace("where can", "where could"), ANSWER)],
            [None, "near_duplicate"],
        ),
        ([(QUESTION, ANSWER), (QUESTION, ADVICE)], [None, None]),  # another answer to the same question
        ([(QUESTION, ANSWER), (OTHER, ANSWER)], [None, None]),
        (
            [(f"Hi [NAME], order #1234. {QUESTION}", ANSWER), (f"Hi , order . {QUESTION}", ANSWER)],
            [None, "duplicate"],
        ),
        ([("thx", ANSWER), ("thx", ANSWER.replace("whole", "full"))], [None, "near_duplicate"]),
        ([("👍", "👍"), ("🙏", "🙏"), ("👍", "👍")], [None, None, "duplicate"]),
        ([], []),
    ],
)
def test_reasons(tmp_path: Path, rows: list[Row], reasons: list[str | None]) -> None:
    assert find(tmp_path, rows).reasons == reasons


SAME = [
    (QUESTION, ANSWER),
    (QUESTION.replace("friday", "sunday"), ANSWER),
    (QUESTION, ANSWER),
    (OTHER, ADVICE),
]


@pytest.mark.parametrize(
    ("ranks", "kept", "reasons"),
    [
        ([0, 0, 0, 0], [0, 0, 0, -1], [None, "near_duplicate", "duplicate", None]),
        ([0, 0.5, 0.2, 0], [1, 1, 1, -1], ["duplicate", None, "near_duplicate", None]),
        ([-1, -2, 0, 0], [2, 2, 2, -1], ["duplicate", "near_duplicate", None, None]),
    ],
)
def test_the_best_is_kept(
    tmp_path: Path, ranks: list[float], kept: list[int], reasons: list[str | None]
) -> None:
    clusters = find(tmp_path, SAME, ranks=ranks)
    assert (clusters.kept.tolist(), clusters.reasons) == (kept, reasons)


def test_nothing_outside_resembles_a_holdout(tmp_path: Path) -> None:
    held_out = [False, True, False, False, True, True]
    near = (QUESTION.replace("monday", "tuesday"), ANSWER)
    rows = [*SAME, near, SAME[1]]
    clusters = find(tmp_path, rows, ranks=[9, 0, 9, 0, 0, 0], held_out=held_out)
    # A holdout keeps its own near-duplicates, but no repetition.
    assert clusters.reasons == ["in_holdout", None, "in_holdout", None, None, "duplicate"]
    assert clusters.kept.tolist() == [1, 1, 1, -1, 1, 1]


def test_numbers_must_fit(tmp_path: Path) -> None:
    find(tmp_path, SAME)
    with pytest.raises(ValueError, match="4 rows, but 3 ranks and 4 holdouts"):
        cluster(tmp_path, 1, [0.0] * 3, [False] * 4, NearDuplicates())


WORDS = [f"{a}{b}" for a in ("ka", "so", "mi", "tor", "ber") for b in ("ro", "len", "da", "fi", "gus", "pe")]


def varied(rng: random.Random, families: int, members: int, words: int) -> list[Row]:
    """Families of rows that differ from their family's first in one word of each side or none."""

    def with_slip(text: list[str]) -> str:
        place = rng.randrange(len(text))
        return " ".join([*text[:place], rng.choice(WORDS), *text[place + 1 :]])

    rows = []
    for _ in range(families):
        question, answer = rng.choices(WORDS, k=words), rng.choices(WORDS, k=20)
        rows += [(with_slip(question), with_slip(answer)) for _ in range(rng.randint(1, members))]
    rng.shuffle(rows)
    return rows


def components(rows: list[Row]) -> set[frozenset[int]]:
    """Connected components of more than one row, by comparing all pairs."""
    sides = [tuple(Text(squeeze(side)) for side in row) for row in rows]
    groups = Groups()
    for a, b in combinations(range(len(rows)), 2):
        if all(
            nearly_same(one, other, NearDuplicates()) for one, other in zip(sides[a], sides[b], strict=True)
        ):
            groups.join([f"{a:05}", f"{b:05}"])
    return partition([int(groups.find(f"{row:05}")) for row in range(len(rows))])


def partition(names: list[int]) -> set[frozenset[int]]:
    members = defaultdict(set)
    for row, name in enumerate(names):
        members[name].add(row)
    return {frozenset(rows) for name, rows in members.items() if name >= 0 and len(rows) > 1}


def clustered(rows: list[Row], shards: int = 1) -> Clusters:
    with TemporaryDirectory() as folder:
        return find(Path(folder), rows, shards=shards)


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False), st.integers(16, 40))
def test_clusters_are_the_components_of_all_pairs(rng: random.Random, words: int) -> None:
    rows = varied(rng, families=8, members=5, words=words)
    assert partition(clustered(rows).kept.tolist()) == components(rows)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.lists(st.sampled_from(WORDS[:4]), min_size=1, max_size=7).map(" ".join), max_size=25))
def test_clusters_hold_no_others(texts: list[str]) -> None:
    rows = [(text, "") for text in texts]
    whole = components(rows)
    for found in partition(clustered(rows).kept.tolist()):
        assert any(found <= component for component in whole)


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False), st.integers(2, 5))
def test_order_and_shards_do_not_matter(rng: random.Random, shards: int) -> None:
    rows = varied(rng, families=6, members=4, words=10)
    expected = clustered(rows)
    in_shards = clustered(rows, shards)
    assert (expected.kept.tolist(), expected.reasons) == (in_shards.kept.tolist(), in_shards.reasons)
    order = rng.sample(range(len(rows)), len(rows))
    shuffled = partition(clustered([rows[row] for row in order]).kept.tolist())
    assert {frozenset(order[row] for row in rows) for rows in shuffled} == partition(expected.kept.tolist())


def test_thousands_of_like_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many comparisons as rows and not as pairs, of which there are three million."""
    from data_pipeline.level1 import cluster as module

    compared = 0

    def counting(*texts: object) -> bool:
        nonlocal compared
        compared += 1
        return nearly_same(*texts)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "nearly_same", counting)
    rows = [(f"{QUESTION} {index}", ANSWER) for index in range(2_500)]
    clusters = find(tmp_path, [*rows, *rows])
    assert np.all(clusters.kept == 0)
    assert clusters.reasons == [None, *["near_duplicate"] * 2_499, *["duplicate"] * 2_500]
    assert compared < 2 * 5 * 2_500
