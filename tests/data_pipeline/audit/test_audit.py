import json
from typing import Any

import pytest

from data_pipeline.audit.audit import audit, distributions, read_audit
from data_pipeline.audit.config import AuditConfig
from data_pipeline.audit.model import Example, Share
from data_pipeline.schema import InvalidRows
from tests.data_pipeline.audit.frames import company, frame, rejected
from tests.data_pipeline.audit.measuring import measure, share


def test_the_funnel_in_percent_of_what_was_read_without_holdouts() -> None:
    rows = [
        *[rejected("level1", "too_short")] * 20,
        *[rejected("level1", "duplicate")] * 5,
        *[rejected("level2", "low_score")] * 30,
        *[rejected("level3", "over_cap")] * 15,
        *[{}] * 20,
        *[{"outcome": "val"}] * 3,
        *[{"outcome": "test"}] * 2,
        *[{"outcome": "golden"}] * 7,
    ]
    found = measure(frame(*rows), {"broken_json": 4, "no_messages": 1})
    assert [(stage.name, stage.rows.count, stage.rows.value) for stage in found.funnel] == [
        ("read", 100, 1.0),
        ("clean", 95, 0.95),
        ("level1", 70, 0.7),
        ("level2", 40, 0.4),
        ("level3", 25, 0.25),
    ]
    assert [(entry.stage, entry.reason, entry.rows.value) for entry in found.removed] == [
        ("clean", "broken_json", 0.04),
        ("clean", "no_messages", 0.01),
        ("level1", "too_short", 0.2),
        ("level1", "duplicate", 0.05),
        ("level2", "low_score", 0.3),
        ("level3", "over_cap", 0.15),
    ]
    assert found.totals.model_dump() == {
        "rows_read": 107,
        "defects": 5,
        "held_out": 7,
        "conversations": 95,
        "kept": 25,
    }
    assert found.splits.rows == {"train": 20, "val": 3, "test": 2, "golden": 7}


def test_a_row_that_is_missing_is_noticed() -> None:
    with pytest.raises(RuntimeError, match=r"rows were lost: read 3, 1 defects, 1 in the frame"):
        audit(
            frame({}),
            {"rows_read": 3, "defects": {"broken_json": 1}},
            AuditConfig(),
            dataset="shop",
            version="v1",
        )


def test_a_frame_that_breaks_the_schema_is_refused() -> None:
    with pytest.raises(InvalidRows, match="r0: score"):
        measure(frame({"score": 3.0}))


def test_three_examples_a_reason_and_none_of_reasons_that_did_not_occur() -> None:
    examples = {
        reason: [Example(id=f"r{n}", text=f"Text {n}") for n in range(5)] for reason in ("too_short", "other")
    }
    found = measure(frame({}, rejected("level1", "too_short")), {"broken_json": 1}, examples=examples)
    assert [(entry.reason, [e.id for e in entry.examples]) for entry in found.removed] == [
        ("broken_json", []),
        ("too_short", ["r0", "r1", "r2"]),
    ]


def test_duplicates_by_how_they_were_found() -> None:
    reasons = [
        "duplicate",
        "in_holdout",
        "near_duplicate",
        "near_in_holdout",
        "semantic_duplicate",
        "too_short",
    ]
    rows = [rejected("level1", reason, cluster="c1" if "near" in reason else None) for reason in reasons]
    found = measure(frame(*rows, {"cluster": "c1"}, {"cluster": "c2"}, *[{}] * 2)).duplicates
    assert (found.rate, found.exact, found.near) == (share(4, 10), share(2, 10), share(2, 10))
    assert found.semantic == share(1, 10)
    assert (found.clusters, found.largest_cluster) == (1, 3)


def test_shares_are_of_the_rows_that_were_measured() -> None:
    found = measure(
        frame(
            {
                "multi_intent": True,
                "ambiguous": False,
                "label": "a",
                "label_noise": True,
                "language": "ja-en",
            },
            {"multi_intent": False, "label": "a", "label_noise": False, "language": "ja"},
            {"multi_intent": False, "label": "b", "label_noise": False, "language": None},
            {
                "outcome": "golden",
                "multi_intent": True,
                "language": "ja-en",
                "label": "b",
                "label_noise": True,
            },
        )
    )
    assert found.multi_intent == share(1, 3)
    assert found.ambiguous == share(0, 1)
    assert found.mixed_language == share(1, 2)
    assert found.label_noise == share(1, 3)
    assert found.label_noise_by_label == {"a": share(1, 2), "b": share(0, 1)}


def test_what_no_column_says_is_not_measured() -> None:
    found = measure(frame({}, {"outcome": "test"}))
    unknown = Share(count=0, of=0, value=None)
    assert [found.multi_intent, found.ambiguous, found.label_noise, found.synthetic_low_quality] == [
        unknown
    ] * 4
    assert (found.agreement, found.previous, found.sampling) == (None, None, [])
    assert {component.measured.count for component in found.components} == {0}
    assert {component.mean_before for component in found.components} == {None}
    assert "tokens" not in found.lengths
    assert found.mixes["topic"].before == {}
    assert [leak.count for leak in found.splits.leaks] == [0, None, None]


def test_drift_against_the_version_before() -> None:
    old = measure(frame(*[{"topic": "a"}] * 500, *[{"topic": "b"}] * 500))
    new = measure(frame(*[{"topic": "a"}] * 750, *[{"topic": "b"}] * 250), previous=old)
    assert new.previous is not None
    assert (new.previous.version, new.previous.kept) == ("v1", 1000)
    by_name = {drift.name: drift for drift in new.previous.drift}
    assert set(by_name) == {"source", "origin", "language", "topic", "length"}
    assert by_name["topic"].psi == pytest.approx(0.27465, abs=1e-5)
    assert by_name["topic"].verdict == "drifted"
    assert by_name["length"].psi == 0


def test_rows_without_a_topic_are_a_topic_for_the_drift_once_there_are_topics() -> None:
    known = measure(frame({"topic": "a"}, {}))
    assert distributions(known)["topic"] == {"a": 1, "unknown": 1}
    assert "topic" not in distributions(measure(frame({}, {})))


def test_a_build_without_any_row() -> None:
    found = measure(frame({}).iloc[:0], {"broken_json": 2})
    assert found.funnel[-1].rows == share(0, 2)
    assert found.duplicates.rate.value is None
    assert measure(frame({}), previous=found).previous is not None


def test_the_same_rows_in_another_order_give_the_same_audit() -> None:
    data = company(600)
    first = measure(data)
    assert measure(data.sample(frac=1, random_state=7)) == first


def test_the_audit_is_json_and_comes_back(tmp_path: Any) -> None:
    found = measure(company(400), previous=measure(company(300, seed=3)))
    path = tmp_path / "audit.json"
    path.write_text(found.model_dump_json(indent=2))
    assert "NaN" not in path.read_text()
    assert json.loads(path.read_text())["duplicates"]["rate"]["of"] == found.totals.conversations
    assert read_audit(path) == found


def test_an_audit_of_another_shape_is_no_previous_version(tmp_path: Any) -> None:
    assert read_audit(tmp_path / "audit.json") is None
    (tmp_path / "audit.json").write_text('{"rows": 3}')
    assert read_audit(tmp_path / "audit.json") is None
