import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.diversity.config import SamplingConfig
from data_pipeline.diversity.sampling import OVER_CAP, OVER_QUOTA, select

NO_FLOORS = {
    "min_cell_rows": 0,
    "min_topic_rows": 0,
    "min_negative_share": 0.0,
    "min_hard_share": 0.0,
    "max_topic_share": 1.0,
}


def frame(*cells: tuple[str, int], **columns: object) -> pd.DataFrame:
    """Rows of topics, so many of each, easy and neutral; scores fall from row to row."""
    topics = [topic for topic, count in cells for _ in range(count)]
    rows = len(topics)
    return pd.DataFrame(
        {
            "id": [f"{topic}-{n}" for n, topic in enumerate(topics)],
            "topic": topics,
            "difficulty": "easy",
            "sentiment": "neutral",
            "score": np.linspace(1, 0, rows),
            "critical": False,
            **columns,
        }
    )


def kept_by_topic(rows: pd.DataFrame, config: SamplingConfig, read: int) -> dict[str, int]:
    decisions = select(rows, config, read)
    return rows[decisions["kept"]]["topic"].value_counts().to_dict()


@pytest.mark.parametrize(
    ("balance", "kept"), [(0.0, {"a": 18, "b": 10, "c": 2}), (1.0, {"a": 26, "b": 3, "c": 1})]
)
def test_quotas_rise_in_all_cells_at_once(balance, kept):
    config = SamplingConfig(balance=balance, keep_share=0.3, **NO_FLOORS)
    assert kept_by_topic(frame(("a", 100), ("b", 10), ("c", 2)), config, read=100) == kept


def test_the_best_of_a_cell_are_kept_and_those_without_a_score_last():
    rows = frame(("a", 4), score=[0.1, None, 0.9, 0.5])
    decisions = select(rows, SamplingConfig(keep_share=0.5), rows_read=6)
    assert decisions["kept"].tolist() == [True, False, True, True]
    assert decisions["reason"].tolist() == [None, OVER_QUOTA, None, None]
    assert decisions["detail"].tolist() == [None, "cell a/easy/neutral: 3 of 4 kept", None, None]


def test_a_topic_over_its_cap_gives_way_to_others():
    config = SamplingConfig(keep_share=0.5, **NO_FLOORS | {"max_topic_share": 0.4, "balance": 1.0})
    rows = frame(("a", 80), ("b", 20), ("c", 20))
    decisions = select(rows, config, rows_read=100)
    assert rows[decisions["kept"]]["topic"].value_counts().to_dict() == {"a": 20, "b": 15, "c": 15}
    assert decisions["reason"].value_counts().to_dict() == {OVER_CAP: 60, OVER_QUOTA: 10}
    assert decisions["detail"].iloc[79] == "cell a/easy/neutral: 20 of 80 kept; 20 of the topic"


def test_a_cap_gives_way_where_the_others_have_no_more_rows():
    config = SamplingConfig(keep_share=0.5, **NO_FLOORS | {"max_topic_share": 0.4})
    assert kept_by_topic(frame(("a", 80), ("b", 5)), config, read=100) == {"a": 45, "b": 5}


def test_small_topics_are_kept_whole():
    config = SamplingConfig(keep_share=0.5, balance=1.0, max_topic_share=1.0, min_topic_rows=8)
    assert kept_by_topic(frame(("a", 200), ("b", 8), ("c", 30)), config, read=100)["b"] == 8


def test_critical_rows_are_kept_first_but_are_not_all():
    rows = frame(("a", 50), ("b", 50), critical=[False] * 40 + [True] * 10 + [True] * 50)
    config = SamplingConfig(keep_share=0.4, max_critical_share=0.5, **NO_FLOORS)
    decisions = select(rows, config, rows_read=100)
    assert decisions["kept"].sum() == 40
    critical_of_a = decisions["kept"][40:50]
    assert critical_of_a.all()
    assert decisions["kept"][:40].sum() == 10


@pytest.mark.parametrize(("column", "value"), [("sentiment", "negative"), ("difficulty", "hard")])
def test_floors_of_the_negative_and_the_hard(column, value):
    rows = frame(("a", 200), ("b", 200))
    rows[column] = [value if n % 20 == 0 else other for n, other in enumerate(rows[column])]
    rows["score"] = (rows[column] != value).astype(float)
    config = SamplingConfig(keep_share=0.25, balance=1.0, **NO_FLOORS)
    assert rows[select(config=config, frame=rows, rows_read=400)["kept"]][column].eq(value).sum() == 5
    floor = {"min_negative_share": 0.15, "min_hard_share": 0.15}
    config = SamplingConfig(keep_share=0.25, balance=1.0, **NO_FLOORS | floor)
    assert rows[select(config=config, frame=rows, rows_read=400)["kept"]][column].eq(value).sum() == 15


def test_what_is_not_known_is_a_cell_too():
    rows = frame(("a", 10), topic=["a"] * 5 + [None] * 5, sentiment=None)
    decisions = select(rows, SamplingConfig(keep_share=0.5, **NO_FLOORS), rows_read=12)
    assert decisions["kept"].sum() == 6
    assert (
        decisions["detail"].dropna().tolist()
        == ["cell a/easy/(none): 3 of 5 kept"] * 2 + ["cell (none)/easy/(none): 3 of 5 kept"] * 2
    )


def test_no_rows():
    assert select(frame(), SamplingConfig(), rows_read=10).empty


def test_ids_must_differ():
    with pytest.raises(ValueError, match="ids of their own"):
        select(frame(("a", 2), id="x"), SamplingConfig(), rows_read=2)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "b", "c", None]),
        st.sampled_from(["easy", "medium", "hard"]),
        st.sampled_from(["negative", "neutral", "positive"]),
        st.sampled_from([0.0, 0.5, 1.0, None]),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)
CONFIGS = st.builds(
    SamplingConfig,
    keep_share=st.sampled_from([0.1, 0.25, 0.6, 1.0]),
    balance=st.sampled_from([0.0, 0.5, 1.0]),
    max_topic_share=st.sampled_from([0.1, 0.3, 1.0]),
    min_cell_rows=st.integers(0, 3),
    min_topic_rows=st.integers(0, 6),
    min_negative_share=st.sampled_from([0.0, 0.3]),
    max_critical_share=st.sampled_from([0.0, 0.2, 1.0]),
)


def drawn_frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    columns = ["topic", "difficulty", "sentiment", "score", "critical"]
    return pd.DataFrame(rows, columns=columns).assign(id=[f"row {n}" for n in range(len(rows))])


@settings(max_examples=50, deadline=None)
@given(ROWS, CONFIGS, st.integers(1, 100), st.randoms(use_true_random=False))
def test_the_budget_is_met_whatever_the_order(rows, config, read, rng):
    table = drawn_frame(rows)
    decisions = select(table, config, read)
    assert decisions["kept"].sum() == min(len(table), int(config.keep_share * read + 0.5))
    assert decisions["reason"].isna().equals(decisions["kept"])
    assert set(decisions["reason"].dropna()) <= {OVER_CAP, OVER_QUOTA}
    order = rng.sample(range(len(table)), len(table))
    pd.testing.assert_frame_equal(select(table.iloc[order], config, read).sort_index(), decisions)


@settings(max_examples=50, deadline=None)
@given(ROWS, CONFIGS, st.integers(1, 100))
def test_no_row_is_kept_before_a_better_one_of_its_cell(rows, config, read):
    table = drawn_frame(rows)
    table["kept"] = select(table, config, read)["kept"]
    table["merit"] = table["critical"] * 10 + table["score"].fillna(-1)
    for _, cell in table.groupby(["topic", "difficulty", "sentiment"], dropna=False):
        kept, left = cell[cell["kept"]]["merit"], cell[~cell["kept"]]["merit"]
        assert kept.empty or left.empty or kept.min() >= left.max()


@settings(max_examples=50, deadline=None)
@given(ROWS, CONFIGS, st.integers(1, 100))
def test_caps_and_floors_hold(rows, config, read):
    table = drawn_frame(rows)
    no_floors = config.model_copy(update=NO_FLOORS | {"max_topic_share": config.max_topic_share})
    decisions = select(table.assign(critical=False), no_floors, read)
    budget = int(decisions["kept"].sum())
    topics = table["topic"].fillna("(none)")
    kept = topics[decisions["kept"]].value_counts()
    if decisions["reason"].eq(OVER_QUOTA).any():
        assert kept.max() <= config.max_topic_share * budget + 1e-9

    only_topics = no_floors.model_copy(update={"min_topic_rows": config.min_topic_rows})
    kept = topics[select(table.assign(critical=False), only_topics, read)["kept"]].value_counts()
    floors = topics.value_counts().clip(upper=config.min_topic_rows)
    if floors.sum() <= budget:
        assert all(kept.get(topic, 0) >= floor for topic, floor in floors.items())


def test_new_rows_change_the_decision_on_few_others():
    draw = np.random.default_rng(0)
    rows = 4000
    table = pd.DataFrame(
        {
            "id": [f"row {n}" for n in range(rows)],
            "topic": [f"topic {min(int(n), 30)}" for n in draw.zipf(1.5, rows)],
            "difficulty": draw.choice(["easy", "medium", "hard"], rows, p=[0.5, 0.4, 0.1]),
            "sentiment": draw.choice(["negative", "neutral", "positive"], rows, p=[0.1, 0.6, 0.3]),
            "score": draw.random(rows),
            "critical": draw.random(rows) < 0.02,
        }
    )
    before = select(table, SamplingConfig(), rows_read=10_000)["kept"]
    for new, most in ((1, 5), (40, 30), (400, 200)):
        more = pd.concat([table, table.iloc[:new].assign(id=[f"new {n}" for n in range(new)])])
        after = select(more.reset_index(drop=True), SamplingConfig(), rows_read=10_000 + 2 * new)["kept"]
        assert (after[:rows] != before).sum() <= most
