from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.config import Split
from data_pipeline.groups import Groups
from data_pipeline.plan import Decision, IndexRow, Plan

SPLIT = Split(train=0.8, val=0.1, test=0.1)


def row(row_id: str, *keys: str, says: str = "", holdout: str | None = None) -> IndexRow:
    return IndexRow(row_id, says or f"digest of {row_id}", list(keys), holdout)


def decide(rows: list[IndexRow], split: Split = SPLIT, seed: int = 42) -> list[Decision]:
    plan = Plan(split, seed)
    for each in rows:
        plan.add(each)
    return [plan.decide(each) for each in rows]


def customers(count: int) -> list[IndexRow]:
    return [row(str(n), f"customer:s:{n}", f"thread:s:{n}") for n in range(count)]


KEYS = st.sampled_from([f"{kind}:{n}" for kind in ("customer", "email", "thread") for n in range(12)])
ROWS = st.lists(
    st.tuples(st.lists(KEYS, max_size=3), st.integers(0, 30), st.sampled_from([None, None, None, "unseen"])),
    max_size=40,
)


@given(ROWS)
def test_no_key_is_ever_in_two_splits(drawn: list[tuple[list[str], int, str | None]]) -> None:
    rows = [
        row(str(n), *keys, says=str(says), holdout=holdout) for n, (keys, says, holdout) in enumerate(drawn)
    ]
    splits_of = defaultdict(set)
    for each, decision in zip(rows, decide(rows), strict=True):
        for key in each.keys if decision.split else ():
            splits_of[key].add(decision.split)
    for splits in splits_of.values():
        assert len(splits) == 1 or splits <= {"unseen", "test"}


@given(ROWS)
def test_what_is_said_is_kept_once(drawn: list[tuple[list[str], int, str | None]]) -> None:
    rows = [row(str(n), *keys, says=str(says)) for n, (keys, says, _) in enumerate(drawn)]
    decisions = decide(rows)
    assert sum(decision.split is not None for decision in decisions) == len({each.digest for each in rows})
    assert all(decision.split or decision.reason == "duplicate" for decision in decisions)


def test_the_first_row_stays_and_the_repeated_one_names_it() -> None:
    first, second = decide([row("a", says="x"), row("b", says="x")])
    assert first.split is not None
    assert (second.split, second.reason, second.detail) == (None, "duplicate", "says the same as a")


def test_a_row_of_a_holdout_may_be_nowhere_else() -> None:
    held, ours, again = decide(
        [row("h", says="x", holdout="unseen"), row("a", says="x"), row("i", says="x", holdout="unseen")]
    )
    assert (held.split, ours.reason, again.reason) == ("unseen", "in_holdout", "duplicate")


def test_a_customer_of_a_holdout_is_not_trained_on() -> None:
    held = [row(f"h{n}", f"customer:s:{n}", holdout="unseen") for n in range(50)]
    decisions = decide([*held, *customers(100)])[50:]
    assert {decision.split for decision in decisions[:50]} == {"test"}
    assert {decision.split for decision in decisions[50:]} == {"train", "val", "test"}


def test_rows_moved_to_test_are_counted() -> None:
    plan = Plan(Split(train=1, val=0, test=0), 42)
    rows = [row("h", "customer:c", holdout="unseen"), row("a", "customer:c"), row("b", "customer:d")]
    for each in rows:
        plan.add(each)
    assert [plan.decide(each).split for each in rows] == ["unseen", "test", "train"]
    assert plan.moved_to_test == 1


def test_keys_join_rows_through_other_rows() -> None:
    chain = [
        row("a", "customer:1"),
        row("b", "customer:2"),
        row("c", "customer:1", "email:x"),
        row("d", "email:x"),
    ]
    a, b, c, d = decide([*chain, row("e", "customer:2", "email:x")])[:4]
    assert a.group == b.group == c.group == d.group


def test_a_repeated_row_does_not_tie_two_customers_together() -> None:
    rows = [
        row("a", "customer:1", says="x"),
        row("b", "customer:2", "customer:1", says="x"),
        row("c", "customer:2"),
    ]
    a, _, c = decide(rows)
    assert a.group != c.group


def test_shares_are_about_those_of_the_config() -> None:
    splits = [decision.split for decision in decide(customers(5000))]
    assert abs(splits.count("train") / 5000 - 0.8) < 0.02
    assert abs(splits.count("val") / 5000 - 0.1) < 0.015


def test_another_seed_splits_otherwise() -> None:
    assert decide(customers(50)) != decide(customers(50), seed=43)


def test_new_rows_move_no_others() -> None:
    old = customers(300)
    new = [row(f"new {n}", f"customer:s:{n}", f"thread:s:0{n}") for n in range(300)]
    before = {decision.id: decision.split for decision in decide(old)}
    after = {decision.id: decision.split for decision in decide([*new, *old])}
    assert before.items() <= after.items()


def test_a_row_without_keys_stays_where_it_is_whatever_is_around_it() -> None:
    rows = [row(f"file:{n}", says=str(n)) for n in range(100)]
    moved = [row(f"file:{n + 1}", says=str(n)) for n in range(100)]
    assert [d.split for d in decide(rows)] == [d.split for d in decide(moved)]


def test_rows_of_one_id_get_ids_of_their_own() -> None:
    rows = [row("a", says="x"), row("a", says="y"), row("a", says="y"), row("a", says="z")]
    assert [decision.id for decision in decide(rows) if decision.split] == ["a", "a#2", "a#3"]


def test_a_group_is_named_by_its_smallest_key() -> None:
    groups = Groups()
    groups.join(["thread:1", "customer:7"])
    groups.join(["email:x", "thread:1"])
    groups.join(["customer:3", "email:y"])
    assert groups.find("email:x") == "customer:7"
    groups.join(["email:y", "email:x"])
    assert groups.find("thread:1") == "customer:3"
    assert groups.find("never seen") == "never seen"
