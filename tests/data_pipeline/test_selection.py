from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_pipeline.config import BuildConfig
from data_pipeline.selection import choose

BASE = {"output": "o", "system_prompt": "p", "sources": [{"type": "chat", "path": "a.jsonl"}]}


def config(**settings: Any) -> BuildConfig:
    values = {**BASE, "level2": None, "level3": None, **settings}
    return BuildConfig.model_validate(values, context={"check_paths": False})


def frame(count: int, **columns: Any) -> pd.DataFrame:
    """So many rows that level 1 kept, of one topic, each of a customer of its own; the first are the best."""
    rows = {
        "id": [f"chat/{n}" for n in range(count)],
        "digest": [f"digest {n}" for n in range(count)],
        "keys": [[f"customer:{n}"] for n in range(count)],
        "holdout": None,
        "origin": "ticket",
        "language": "en",
        "score": [1 - n / count for n in range(count)],
        "score_reason": None,
        "critical": False,
        "topic": "orders",
        "difficulty": "easy",
        "sentiment": "neutral",
        "labels": [[] for _ in range(count)],
        **{name: pd.Series([None] * count, dtype=object) for name in ("level", "reason", "detail")},
        **columns,
    }
    return pd.DataFrame(rows)


def chosen(rows: pd.DataFrame, settings: BuildConfig, read: int | None = None, dim: int = 0) -> pd.DataFrame:
    kept = int(rows["reason"].isna().sum())
    vectors = np.eye(kept, dim, dtype=np.float16) if dim else np.zeros((kept, 0), np.float16)
    choose(rows, vectors, lambda places: [""] * len(places), settings, read or len(rows))
    return rows


def test_without_levels_all_rows_are_split() -> None:
    rows = chosen(frame(200), config())
    counts = rows["outcome"].value_counts()
    assert set(counts.index) == {"train", "val", "test"}
    assert abs(counts["val"] - 20) <= 2 and abs(counts["test"] - 20) <= 2
    assert rows["group"].is_unique


def test_level_2_keeps_the_best_share_of_all_rows_read() -> None:
    rows = chosen(frame(50), config(level2={"keep_share": 0.2}), read=100)
    assert rows.loc[rows["reason"].isna(), "id"].tolist() == [f"chat/{n}" for n in range(20)]
    out = rows[rows["reason"].notna()]
    assert set(zip(out["level"], out["reason"], out["outcome"], strict=True)) == {
        ("level2", "below_keep_share", "rejected")
    }
    assert out["detail"].iloc[0] == "not among the best 20% of all rows"


def test_a_fault_goes_whatever_the_share() -> None:
    reasons = [None] * 9 + ["contradiction"]
    rows = chosen(frame(10, score_reason=reasons), config(level2={"keep_share": None}))
    assert rows["reason"].tolist() == reasons


def test_what_was_not_scored_goes_first() -> None:
    rows = chosen(frame(4, score=[np.nan, 0.1, np.nan, 0.2]), config(level2={"keep_share": 0.5}))
    assert rows.loc[rows["reason"].isna(), "id"].tolist() == ["chat/1", "chat/3"]


def test_level_3_leaves_out_what_means_the_same_and_names_the_better_row() -> None:
    rows = frame(8)
    vectors = np.eye(8, dtype=np.float16)
    vectors[5] = vectors[2]
    settings = config(level3={"sampling": {"keep_share": 1.0}})
    choose(rows, vectors, lambda places: [""] * len(places), settings, 8)
    out = rows[rows["reason"].notna()]
    assert out[["id", "level", "reason", "detail"]].values.tolist() == [
        ["chat/5", "level3", "semantic_duplicate", "means the same as chat/2 (cosine 1.000)"]
    ]


def test_level_3_samples_to_its_share_of_all_rows_read() -> None:
    rows = chosen(frame(60, topic=["a"] * 50 + ["b"] * 10), config(level3={"sampling": {"keep_share": 0.25}}))
    kept = rows[rows["reason"].isna()]
    assert len(kept) == 15
    assert set(kept["topic"]) == {"a", "b"}
    assert set(rows.loc[rows["reason"].notna(), "level"]) == {"level3"}


def test_no_level_leaves_out_rows_of_a_holdout() -> None:
    held = ["unseen" if n % 2 else None for n in range(20)]
    settings = config(
        level2={"keep_share": 0.1},
        level3={"sampling": {"keep_share": 0.1}},
        holdouts={"unseen": BASE["sources"][0]},
    )
    rows = chosen(
        frame(20, holdout=held, score_reason=["rude" if n == 3 else None for n in range(20)]), settings
    )
    assert (rows.loc[1::2, "outcome"] == "unseen").all()
    assert rows.loc[::2, "reason"].notna().sum() == 8


def test_rows_that_level_1_left_out_stay_so() -> None:
    rows = frame(10)
    rows.loc[4, ["level", "reason", "detail"]] = ["level1", "duplicate", "says the same as chat/3"]
    rows = chosen(rows, config(), dim=16)
    assert rows.loc[4, ["outcome", "level", "reason"]].tolist() == ["rejected", "level1", "duplicate"]
    assert rows["reason"].notna().sum() == 1


def test_suspected_labels_are_marked_where_there_are_labels() -> None:
    rng = np.random.default_rng(3)
    names = ["refund" if n < 60 else "delivery" for n in range(120)]
    vectors = np.array([[1, 0] if name == "refund" else [0, 1] for name in names]) + rng.normal(
        0, 0.05, (120, 2)
    )
    names[7] = "delivery"
    labels: list[list[dict[str, str]]] = [[{"by": "a", "label": name}] for name in names]
    labels[100] = []
    rows = frame(120, labels=labels)
    choose(rows, vectors.astype(np.float16), lambda places: [""] * len(places), config(), 120)
    assert rows.index[rows["label_noise"] == True].tolist() == [7]  # noqa: E712  # pandas' own comparison
    assert rows.loc[100, "label_noise"] is None


@pytest.mark.parametrize("count", [1, 3])
def test_few_rows_are_split_too(count: int) -> None:
    assert len(chosen(frame(count), config())) == count


@pytest.mark.parametrize(
    ("real", "made_up", "read", "expected"),
    [
        (30, 30, 60, {"ticket": 30, "synthetic": 10}),  # all real ones, and a quarter of the rows
        (
            200,
            200,
            400,
            {"ticket": 75, "synthetic": 25},
        ),  # the best rows are synthetic, and the rest is filled up
        (10, 90, 400, {"ticket": 10, "synthetic": 3}),
    ],
)
def test_no_more_than_the_share_is_synthetic(
    real: int, made_up: int, read: int, expected: dict[str, int]
) -> None:
    rows = frame(real + made_up, origin=["synthetic"] * made_up + ["ticket"] * real)
    sampling = {"keep_share": 1.0 if read == 60 else 0.25, "max_synthetic_share": 0.25}
    rows = chosen(rows, config(level3={"sampling": sampling}), read=read)
    assert rows.loc[rows["reason"].isna(), "origin"].value_counts().to_dict() == expected
    out = rows[rows["reason"] == "over_synthetic_share"]
    assert out["id"].tolist() == [f"chat/{n}" for n in range(expected["synthetic"], made_up)]
    assert set(out["detail"]) == {"more than 25% of the rows could be synthetic"}


def test_synthetic_rows_alone_are_not_capped() -> None:
    rows = chosen(frame(20, origin="synthetic"), config(level3={"sampling": {"keep_share": 1.0}}))
    assert rows["reason"].isna().all()


def test_a_row_that_means_the_same_as_a_holdouts_is_left_out() -> None:
    rows = frame(30, holdout=pd.Series([None] * 28 + ["unseen", "unseen"], dtype=object))
    vectors = np.eye(30, dtype=np.float16)
    vectors[[3, 29]] = vectors[28]  # row 3 is the better one, but those of the holdout always stay
    choose(
        rows, vectors, lambda places: [""] * len(places), config(level3={"sampling": {"keep_share": 1.0}}), 28
    )
    [out] = rows[rows["reason"] == "semantic_duplicate"].itertuples()
    assert out.id == "chat/3" and out.detail.endswith("(cosine 1.000)")
    assert rows.loc[[28, 29], "outcome"].tolist() == ["unseen", "unseen"]


def test_a_row_is_left_out_whichever_row_of_the_holdout_it_is_like() -> None:
    """The two of the holdout mean the same, too; that must not hide either of them."""
    angles = np.deg2rad([40.0, 0.0, 20.0])  # each is near the next one: cosine .94
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float16)
    rows = frame(3, holdout=pd.Series([None, "unseen", "unseen"], dtype=object))
    choose(rows, vectors, lambda places: [""] * len(places), config(level3={}), 1)
    assert rows["reason"].tolist() == ["semantic_duplicate", None, None]


def test_topics_that_were_found_by_meaning_can_be_critical() -> None:
    rows = frame(100, topic=["legal" if n >= 90 else "orders" for n in range(100)])
    level3 = {"critical": ["legal"], "sampling": {"keep_share": 0.4}}
    kept = chosen(rows, config(level3=level3)).query("reason.isna()")
    assert (kept["topic"] == "legal").sum() == 10
