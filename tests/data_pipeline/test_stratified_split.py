import random
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UserError
from common.seeds import unit_hash
from data_pipeline.config import Split
from data_pipeline.split import SplitRow, Splits, check, split_rows
from data_pipeline.stratify import TopicRows, stratify

SPLIT = Split(train=0.8, val=0.1, test=0.1)
PARTS = {"train", "val", "test"}


def row(name: object, *keys: str, topic: str | None = "t", holdout: str | None = None) -> SplitRow:
    return SplitRow(str(name), keys or (f"thread:{name}",), topic, holdout)


def tickets(count: int, topics: int = 20, customers: int = 0) -> list[SplitRow]:
    """Rows of `customers` (default: three quarters as many as rows), with topics from frequent to rare."""
    draw = random.Random(0)
    weights = [1 / (n + 1) for n in range(topics)]
    customers = customers or count * 3 // 4
    return [
        row(
            n,
            f"customer:{draw.randrange(customers)}",
            f"thread:{n}",
            topic=f"topic {draw.choices(range(topics), weights)[0]}",
        )
        for n in range(count)
    ]


def part_of(rows: list[SplitRow], splits: Splits) -> dict[str, str]:
    return {each.id: part for each, part in zip(rows, splits.parts, strict=True)}


def shares(rows: list[SplitRow], parts: list[str], part: str) -> dict[str, float]:
    totals = Counter(each.topic for each in rows)
    found = Counter(each.topic for each, its in zip(rows, parts, strict=True) if its == part)
    return {str(topic): found[topic] / total for topic, total in totals.items()}


def drawn(group: str, seed: int = 42) -> str:
    position = unit_hash(group, seed)
    return "train" if position < 0.8 else "val" if position < 0.9 else "test"


KEYS = st.sampled_from([f"{kind}:{n}" for kind in ("customer", "thread", "twin") for n in range(15)])
ROWS = st.lists(
    st.tuples(
        st.lists(KEYS, min_size=1, max_size=3),
        st.sampled_from(["a", "a", "a", "b", "b", "c", "d", None]),
        st.sampled_from([None] * 9 + ["unseen"]),
    ),
    max_size=60,
)
SPLITS = st.sampled_from([SPLIT, Split(train=0.5, val=0.0, test=0.5), Split(train=1.0, val=0.0, test=0.0)])


@settings(deadline=None)
@given(ROWS, SPLITS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_nothing_leaks_and_every_topic_is_everywhere_whatever_the_order(drawn_rows, split, seed, rng):
    rows = [
        row(n, *keys, topic=topic, holdout=holdout) for n, (keys, topic, holdout) in enumerate(drawn_rows)
    ]
    try:
        splits = split_rows(rows, split, seed)
    except UserError:
        assert any(each.holdout for each in rows)
        return
    parts_of = defaultdict(set)
    for each, part in zip(rows, splits.parts, strict=True):
        assert part == (each.holdout or part)
        for key in each.keys:
            parts_of[key].add(part)
    for parts in parts_of.values():
        assert len(parts) == 1 or parts == {"unseen", "test"}

    used = {part for part in PARTS if getattr(split, part) > 0}
    groups, found = defaultdict(set), defaultdict(set)
    for each, part, group in zip(rows, splits.parts, splits.groups, strict=True):
        if each.holdout is None:
            groups[each.topic or "(none)"].add(group)
            found[each.topic or "(none)"].add(part)
    assert splits.report.rare_topics == {t: len(g) for t, g in groups.items() if len(g) < len(used)}
    for topic, parts in found.items():
        if topic not in splits.report.rare_topics and topic not in splits.report.tied_topics:
            assert parts >= used

    order = rng.sample(range(len(rows)), len(rows))
    again = split_rows([rows[place] for place in order], split, seed)
    assert again.parts == [splits.parts[place] for place in order]
    assert again.report == splits.report


def test_every_topic_has_its_share_of_each_part():
    rows = tickets(6000)
    splits = split_rows(rows, SPLIT, seed=42)
    totals = Counter(each.topic for each in rows)
    for part, share in (("val", 0.1), ("test", 0.1), ("train", 0.8)):
        for topic, found in shares(rows, splits.parts, part).items():
            assert abs(found - share) <= max(0.1 * share, 2 / totals[topic])
    assert splits.report.rare_topics == {} and splits.report.tied_topics == []
    assert splits.report.deviation <= 0.1
    assert sum(splits.report.rows.values()) == 6000


def test_a_topic_of_three_groups_is_in_all_parts_and_one_of_two_is_counted():
    rows = tickets(300, topics=3)
    rows += [row(f"rare {n}", topic="rare") for n in range(3)]
    rows += [row(f"rarest {n}", topic="rarest") for n in range(2)]
    splits = split_rows(rows, SPLIT, seed=42)
    parts = part_of(rows, splits)
    assert {parts[f"rare {n}"] for n in range(3)} == PARTS
    assert splits.report.rare_topics == {"rarest": 2}


def test_topics_that_share_their_customers_are_all_served():
    """Five topics, the same twelve customers: what one needs may not be taken from another."""
    rows = [
        row(f"{customer} {topic}", f"customer:{customer}", topic=f"topic {topic}")
        for customer in range(12)
        for topic in range(5)
        if (customer + topic) % 4
    ]
    splits = split_rows(rows, SPLIT, seed=42)
    for topic in {each.topic for each in rows}:
        found = {part for each, part in zip(rows, splits.parts, strict=True) if each.topic == topic}
        assert found == PARTS


def test_what_the_topics_leave_alone_stays_where_its_hash_puts_it():
    rows = [row(n) for n in range(2000)]
    splits = split_rows(rows, SPLIT, seed=42, tolerance=1.0)
    assert splits.parts == [drawn(f"thread:{n}") for n in range(2000)]
    assert splits.report.moved_for_topics == 0


def test_the_groups_nearest_to_the_border_go_over():
    """Ten groups, all drawn for train: the last two and the first, which is next to test in the ring."""
    positions = np.linspace(0.01, 0.79, 10)
    counts = TopicRows(np.arange(10), np.zeros(10, dtype=np.int64), np.full(10, 10))
    nobody = np.zeros(10, dtype=np.bool_)
    result = stratify(positions, nobody, counts, np.array([0.8, 0.1, 0.1]), tolerance=0.1)
    assert result.parts.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_new_rows_move_few_others():
    """Scikit-learn's StratifiedGroupKFold moves about a third; see benchmarks/split.py."""
    rows = tickets(7200)
    old, more = rows[:6000], rows[:6300]
    before, after = split_rows(old, SPLIT, seed=42), split_rows(more, SPLIT, seed=42)
    same_group = [a == b for a, b in zip(before.groups, after.groups[:6000], strict=True)]
    assert all(same_group)
    moved = np.mean([a != b for a, b in zip(before.parts, after.parts[:6000], strict=True)])
    assert moved < 0.03
    after = split_rows(rows, SPLIT, seed=42)
    assert np.mean([a != b for a, b in zip(before.parts, after.parts[:6000], strict=True)]) < 0.05


def test_a_holdouts_customer_goes_to_test_with_all_rows():
    held = [row(f"h{n}", f"customer:{n}", holdout="unseen") for n in range(50)]
    rows = [row(n, f"customer:{n}", topic=f"topic {n % 3}") for n in range(2000)]
    splits = split_rows([*held, *rows], SPLIT, seed=42)
    assert splits.parts[:50] == ["unseen"] * 50
    assert splits.parts[50:100] == ["test"] * 50
    expected = sum(drawn(f"customer:{n}") != "test" for n in range(50))
    assert splits.report.moved_to_test == expected
    assert splits.report.rows["unseen"] == 50
    assert 180 <= splits.report.rows["test"] <= 220


def test_a_topic_that_only_a_holdouts_customers_have_is_tied():
    held = [row(f"h{n}", f"customer:{n}", holdout="unseen") for n in range(4)]
    rows = [row(n, f"customer:{n}", topic="legal") for n in range(4)] + tickets(50, topics=1)
    assert split_rows([*held, *rows], SPLIT, seed=42).report.tied_topics == ["legal"]


def test_nothing_left_to_train_on_is_the_users_to_mend():
    rows = [row("h", "customer:1", holdout="unseen"), row("a", "customer:1")]
    with pytest.raises(UserError, match="no row is left for training"):
        split_rows(rows, SPLIT, seed=42)


def test_a_row_needs_a_key():
    with pytest.raises(ValueError, match="row a has no keys"):
        split_rows([SplitRow("a", [])], SPLIT, seed=42)


def test_no_rows():
    assert split_rows([], SPLIT, seed=42).parts == []


LEAKS = [
    ({1: "val"}, "'customer' of row 1 is in val and in train"),
    ({3: "train"}, "row 3 is in train, though 'customer' of it is in a holdout"),
    ({2: "test"}, "row 2 of holdout unseen is in test"),
    ({0: "unseen", 1: "unseen"}, "row 0 of holdout None is in unseen"),
    ({4: "train", 5: "train", 6: "train"}, "topic 't' of 5 groups is only in"),
]


@pytest.mark.parametrize(("wrong", "message"), LEAKS)
def test_the_check_finds_what_a_defect_would_do(wrong, message):
    rows = [
        row(0, "customer:1", "thread:0"),
        row(1, "customer:1", "thread:1"),
        row(2, "customer:2", holdout="unseen"),
        row(3, "customer:2"),
        *(row(n) for n in range(4, 7)),
    ]
    right = ["train", "train", "unseen", "test", "val", "train", "test"]
    groups = ["customer:1", "customer:1", "customer:2", "customer:2", "4", "5", "6"]
    good = Splits(right, groups, split_rows(rows, SPLIT, seed=42).report)
    check(rows, good, SPLIT)
    bad = replace(good, parts=[wrong.get(n, part) for n, part in enumerate(right)])
    with pytest.raises(RuntimeError, match=message):
        check(rows, bad, SPLIT)


def test_synthetic_rows_are_for_training_and_change_nothing_for_the_others():
    real = tickets(300)
    made_up = [replace(row(f"s{n}", topic=f"only {n % 3}"), synthetic=True) for n in range(200)]
    alone, both = split_rows(real, SPLIT, seed=42), split_rows([*real, *made_up], SPLIT, seed=42)
    assert both.parts[:300] == alone.parts
    assert set(both.parts[300:]) == {"train"}
    assert both.report.rows["train"] == alone.report.rows["train"] + 200


def test_a_synthetic_row_follows_the_real_ones_of_its_group():
    real = [row(n, f"customer:{n}") for n in range(60)]
    made_up = [replace(row(f"s{n}", f"customer:{n}"), synthetic=True) for n in range(60)]
    parts = split_rows([*real, *made_up], SPLIT, seed=42).parts
    assert parts[60:] == parts[:60]
    assert set(parts) == {"train", "val", "test"}


def test_synthetic_rows_alone_are_split_as_if_they_were_real():
    rows = [replace(row(n), synthetic=True) for n in range(100)]
    assert (
        split_rows(rows, SPLIT, seed=42).parts
        == split_rows([row(n) for n in range(100)], SPLIT, seed=42).parts
    )


def test_synthetic_rows_of_a_holdout_stay_in_it():
    real = [row(n) for n in range(50)]
    held = [replace(row("h", holdout="edge"), synthetic=True)]
    assert split_rows([*real, *held], SPLIT, seed=42).parts[50] == "edge"
    made_up = [replace(row(n), synthetic=True) for n in range(100)]
    parts = split_rows([*made_up, row("h", holdout="edge")], SPLIT, seed=42).parts
    assert set(parts[:100]) == {"train", "val", "test"}  # beside a real holdout, too
