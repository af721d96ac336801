import pytest

from data_pipeline.audit.config import AuditConfig
from data_pipeline.audit.model import Cell, Share
from tests.data_pipeline.audit.frames import frame, rejected
from tests.data_pipeline.audit.measuring import measure, share


def test_synthetic_rows_before_and_after_and_those_of_low_quality() -> None:
    synthetic = {"origin": "synthetic", "score": 0.6}
    found = measure(
        frame(
            {"score": 0.9},
            synthetic,
            {**synthetic, **rejected("level2", "low_score")},
            {**synthetic, **rejected("level3", "over_cap")},
            {**synthetic, **rejected("level1", "duplicate"), "score": None},
        )
    )
    assert found.synthetic == share(4, 5)
    assert found.synthetic_kept == share(1, 2)
    assert found.synthetic_low_quality == share(1, 3)


def test_personal_data_by_type() -> None:
    found = measure(
        frame({"pii": '{"EMAIL": 2, "NAME": 1}'}, {"pii": '{"EMAIL": 1}'}, {"pii": '{"EMAIL": 1}'}, {})
    )
    assert found.pii_rows == share(3, 4)
    assert [(entry.type, entry.found, entry.rows) for entry in found.pii] == [
        ("EMAIL", 4, share(3, 4)),
        ("NAME", 1, share(1, 4)),
    ]


def test_components_of_the_score_and_how_they_were_measured() -> None:
    found = measure(
        frame(
            {"score": 0.95, "coherence": 1.0, "coherence_by": "judge"},
            {"score": 0.85, "coherence": 0.5, "coherence_by": "embedding"},
            rejected("level2", "low_score", score=0.1, coherence=0.0, coherence_by="embedding"),
            rejected("level1", "too_short"),
        )
    )
    by_name = {component.name: component for component in found.components}
    score, coherence = by_name["score"], by_name["coherence"]
    assert score.measured == share(3, 4)
    assert score.histogram.before == [0, 1, 0, 0, 0, 0, 0, 0, 1, 1]
    assert score.histogram.after == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
    assert (score.mean_after, score.mean_rejected) == (pytest.approx(0.9), pytest.approx(0.1))
    assert coherence.by == {"embedding": 2, "judge": 1}
    assert coherence.histogram.before == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1], "1 counts in the last bin"
    assert by_name["csat"].measured == Share(count=0, of=4, value=0.0)


def test_flags_are_of_the_rows_that_level_2_saw() -> None:
    flagged = rejected("level2", "link", flags='["link", "instruction"]')
    found = measure(frame({"score": 0.9}, flagged, {"score": 0.7, "flags": '["link"]'}, {}))
    assert found.flags == {"link": share(2, 3), "instruction": share(1, 3)}


def test_the_sampling_by_topic_difficulty_and_sentiment() -> None:
    cell = {"topic": "faq", "difficulty": "easy", "sentiment": "neutral"}
    found = measure(
        frame(
            cell,
            {**cell, **rejected("level3", "over_cap")},
            {**cell, **rejected("level2", "low_score")},
            {**cell, "sentiment": None},
        )
    )
    assert found.sampling == [
        Cell(topic="faq", difficulty="easy", sentiment="neutral", before=2, after=1),
        Cell(topic="faq", difficulty="easy", sentiment="unknown", before=1, after=1),
    ]


def test_lengths_against_what_training_takes() -> None:
    rows = [{"characters": 10 * n, "tokens": n, "turns": 2} for n in (20, 100, 3000)]
    found = measure(
        frame(*rows, rejected("level1", "too_short", tokens=1, characters=3)),
        config=AuditConfig(max_length=2048),
    )
    tokens, characters = found.lengths["tokens"], found.lengths["characters"]
    assert (tokens.limit, tokens.over_limit) == (2048, share(1, 3))
    assert tokens.quantiles["p50"] == 100
    assert tokens.quantiles["max"] == 3000
    assert dict(zip(characters.histogram.edges, characters.histogram.before, strict=False))[12800] == 1
    assert sum(characters.histogram.before) == 4
    assert sum(characters.histogram.after) == 3


def test_leaks_between_splits_and_from_holdouts_into_training() -> None:
    found = measure(
        frame(
            {"group": "g1", "cluster": "c1"},
            {"group": "g1", "outcome": "test"},
            {"group": "g2", "cluster": "c1", "outcome": "val"},
            {"group": "g3", "outcome": "test"},
            {"group": "g3", "outcome": "golden"},
            {"group": "g4", "outcome": "golden"},
            {"group": "g4"},
            {"group": "g5", "cluster": "c2"},
            rejected("level1", "near_duplicate", group="g5", cluster="c2"),
        )
    )
    assert [(leak.what, leak.count, leak.examples) for leak in found.splits.leaks] == [
        ("ids", 0, []),
        ("groups (customer, conversation)", 2, ["g1", "g4"]),
        ("near-duplicate clusters", 1, ["c1"]),
    ]
    (decision,) = (decision for decision in found.decisions if decision.name == "fix_leaks")
    assert decision.verdict == "yes"
    assert decision.reason == (
        "in several splits: 2 groups (customer, conversation), 1 near-duplicate clusters"
    )


def test_topics_by_split_and_where_one_is_missing() -> None:
    rows = [{"topic": topic, "outcome": split} for topic in "ab" for split in ("train", "val", "test")]
    found = measure(frame(*rows, {"topic": "a"}, {"topic": "c", "outcome": "val"})).splits
    assert found.topics == {
        "a": {"train": 2, "val": 1, "test": 1},
        "b": {"train": 1, "val": 1, "test": 1},
        "c": {"train": 0, "val": 1, "test": 0},
    }
    assert found.missing_topics == {"c": ["train", "test"]}
