"""Guard messages: as long as each other, and parts that share no attack."""

from typing import Any

import pytest

from data_pipeline.sample.company import Content
from data_pipeline.sample.guard import GuardRows
from data_pipeline.sample.splits import SPLITS, split_entries


@pytest.fixture(scope="module")
def rows(content: Content) -> list[dict[str, Any]]:
    made = GuardRows(content, 7)
    return [made.row("train", index)[0] for index in range(1600)]


def test_half_are_attacks(rows: list[dict[str, Any]]) -> None:
    assert [row["label"] for row in rows[:4]] == ["attack", "harmless", "attack", "harmless"]
    assert sum(row["label"] == "attack" for row in rows) == len(rows) / 2


def test_length_tells_nothing(rows: list[dict[str, Any]]) -> None:
    attacks, harmless = (
        sorted(len(row["text"]) for row in rows if row["label"] == label) for label in ("attack", "harmless")
    )
    best = max(
        sum(x > n for x in attacks) / len(attacks) - sum(x > n for x in harmless) / len(harmless)
        for n in range(0, 1500, 10)
    )
    assert abs(best) < 0.15


def test_families_and_look_alikes_are_many(content: Content, rows: list[dict[str, Any]]) -> None:
    families = {row["family"] for row in rows if row["label"] == "attack"}
    kinds = {row["family"] for row in rows if row["label"] == "harmless"}

    assert len(families) >= 8
    assert len(kinds) >= 6
    assert "request" in kinds
    assert families == {attack.family for attack in content.guard.attacks}


def test_every_family_is_in_every_part_and_no_attack_in_two(content: Content) -> None:
    parts = split_entries(content.guard.attacks, key=lambda e: repr(e.lines), stratum=lambda e: e.family)

    assert sum(map(len, parts.values())) == len(content.guard.attacks)
    for split in SPLITS:
        assert {attack.family for attack in parts[split]} == {a.family for a in content.guard.attacks}
    lines = {split: {line for attack in parts[split] for line in attack.lines} for split in SPLITS}
    assert not lines["train"] & lines["test"]


def test_hand_written_ones_are_of_both_kinds(content: Content) -> None:
    labels = [entry.label for entry in content.handwritten.guard]

    assert min(labels.count("attack"), labels.count("harmless")) >= 40
