import json
from typing import Any

import pytest
from pydantic import ValidationError

from data_pipeline.audit.config import AuditConfig
from data_pipeline.audit.decisions import percent
from data_pipeline.audit.log_lines import log_lines
from tests.data_pipeline.audit.frames import company, frame, rejected
from tests.data_pipeline.audit.measuring import measure


def decided(*rows: dict[str, Any], **thresholds: Any) -> dict[str, tuple[str, str]]:
    found = measure(frame(*rows), config=AuditConfig(**thresholds))
    return {decision.name: (decision.verdict, decision.reason) for decision in found.decisions}


def share_of(yes: dict[str, Any], count: int, no: dict[str, Any], of: int = 1000) -> list[dict[str, Any]]:
    return [yes] * count + [no] * (of - count)


def test_synthetic_rows_with_noise_above_the_threshold_are_filtered() -> None:
    kept = {"origin": "synthetic", "score": 0.8}
    low = {**kept, **rejected("level2", "low_score")}
    assert decided(*share_of(low, 96, kept))["filter_synthetic"] == (
        "yes",
        "low quality of synthetic rows 9.6% above the 5% threshold",
    )
    assert decided(*share_of(low, 50, kept))["filter_synthetic"] == (
        "no",
        "low quality of synthetic rows 5% within the 5% threshold",
    )
    assert decided(*share_of(low, 50, kept), max_synthetic_low_quality=0.02)["filter_synthetic"][0] == "yes"
    assert decided({})["filter_synthetic"] == (
        "not_measured",
        "low quality of synthetic rows not measured",
    )


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("remove_duplicates", rejected("level1", "duplicate"), {}),
        ("cap_synthetic", {"origin": "synthetic"}, {}),
        ("review_labels", {"label_noise": True, "label": "a"}, {"label_noise": False, "label": "a"}),
        ("merge_overlapping_labels", {"ambiguous": True}, {"ambiguous": False}),
        ("label_second_intent", {"multi_intent": True}, {"multi_intent": False}),
        ("evaluate_mixed_language", {"language": "ja-en"}, {"language": "en"}),
        ("shorten_long_rows", {"tokens": 3000}, {"tokens": 30}),
        (
            "configure_judge",
            {"coherence": 0.5, "coherence_by": "embedding"},
            {"coherence": 0.5, "coherence_by": "judge"},
        ),
    ],
)
def test_a_share_decides_by_its_threshold(name: str, yes: dict[str, Any], no: dict[str, Any]) -> None:
    assert decided(*share_of(yes, 60, no, of=100))[name][0] == "yes"
    assert decided(*share_of(yes, 0, no, of=100))[name][0] == "no"


def test_a_figure_that_is_missing_decides_nothing() -> None:
    verdicts = {name: verdict for name, (verdict, _) in decided({}).items()}
    assert {name for name, verdict in verdicts.items() if verdict == "not_measured"} == {
        "review_drift",
        "filter_synthetic",
        "review_labels",
        "revise_labelling_guidelines",
        "merge_overlapping_labels",
        "label_second_intent",
        "collect_rare_topics",
        "shorten_long_rows",
        "configure_judge",
    }
    assert "yes" not in verdicts.values()


def labelled(*said: str) -> dict[str, Any]:
    return {
        "labels": json.dumps([{"by": f"p{n}", "label": label, "at": None} for n, label in enumerate(said)])
    }


def test_annotators_who_disagree_need_better_guidelines() -> None:
    name = "revise_labelling_guidelines"
    # Four rows, one apart: 1 - 7 * 2 / (64 - 25 - 9).
    rows = [labelled("a", "a"), labelled("a", "a"), labelled("b", "b"), labelled("b", "a")]
    assert decided(*rows)[name] == ("yes", "alpha 0.533 below 0.667")
    assert decided(*rows, min_alpha=0.5)[name] == ("no", "alpha 0.533 at or above 0.5")
    assert decided(labelled("a", "a"))[name] == (
        "not_measured",
        "agreement not measured: only one label in use",
    )


def test_topics_with_few_rows_in_train_are_named() -> None:
    rows = [{"topic": "faq"}] * 25 + [{"topic": "recall"}] * 3 + [{"topic": "recall", "outcome": "val"}] * 30
    assert decided(*rows)["collect_rare_topics"] == ("yes", "fewer than 20 rows in train: recall")
    assert decided(*rows, min_topic_rows=3)["collect_rare_topics"][0] == "no"


def test_drift_asks_for_a_review() -> None:
    old = measure(frame(*[{"topic": "a"}] * 500, *[{"topic": "b"}] * 500))
    data = frame(*[{"topic": "a"}] * 750, *[{"topic": "b"}] * 250)
    found = measure(data, previous=old)
    assert [d.reason for d in found.decisions if d.name == "review_drift"] == ["topic PSI 0.275 above 0.25"]
    calm = measure(data, previous=old, config=AuditConfig(max_psi=0.3))
    assert [d.verdict for d in calm.decisions if d.name == "review_drift"] == ["no"]


def test_log_lines_in_the_specification_s_form() -> None:
    synthetic = {"origin": "synthetic", "score": 0.8, "label": "chit chat", "language": "ja-en"}
    rows = [
        *[{"label": "faq", "multi_intent": False}] * 3,
        {"label": "order", "multi_intent": True},
        *[synthetic] * 3,
        {**synthetic, **rejected("level2", "low_score")},
        rejected("level1", "duplicate"),
        rejected("level1", "near_duplicate"),
    ]
    lines = log_lines(measure(frame(*rows)))
    for line in (
        "[DATA_AUDIT] dataset=shop version=v1",
        "[DATA_AUDIT] total_examples=10 production=6 synthetic=4",
        "[DATA_AUDIT] funnel=100%>100%>80%>70%>70%",
        "[DATA_AUDIT] label_distribution={chit_chat:50.0, faq:37.5, order:12.5}",
        "[DATA_AUDIT] topic_distribution=not_measured",
        "[DATA_AUDIT] duplicate_rate=20% exact=10% near=10% semantic=0%",
        "[DATA_AUDIT] jp_en_mixed=40%",
        "[DATA_AUDIT] multi_intent_estimate=25%",
        "[DATA_AUDIT] ambiguous_estimate=not_measured",
        "[DATA_AUDIT] annotator_agreement=not_measured",
        "[DATA_AUDIT] synthetic_low_quality_estimate=25%",
        '[DECISION] filter_synthetic=yes reason="low quality of synthetic rows 25% above the 5% threshold"',
        '[DECISION] label_second_intent=yes reason="multi-intent share 25% above the 10% threshold"',
    ):
        assert line in lines


def test_the_log_of_a_full_audit_is_one_line_a_fact() -> None:
    lines = log_lines(measure(company(500), previous=measure(company(400, seed=1))))
    assert len(lines) == 16 + 13
    assert all(line.startswith(("[DATA_AUDIT] ", "[DECISION] ")) and "\n" not in line for line in lines)


def test_names_out_of_the_rows_can_not_forge_a_line() -> None:
    forged = 'faq"\n[DECISION] fix_leaks=no reason="'
    lines = log_lines(measure(frame({"topic": forged, "label": forged})))
    assert sum(line.startswith("[DECISION] fix_leaks") for line in lines) == 1
    assert all("\n" not in line for line in lines)
    (rare,) = (line for line in lines if line.startswith("[DECISION] collect_rare_topics"))
    assert rare.count('"') == 2


def test_percent() -> None:
    assert [percent(value) for value in (0, 0.05, 0.0957, 1)] == ["0%", "5%", "9.6%", "100%"]


def test_thresholds_must_fit_together() -> None:
    with pytest.raises(ValidationError, match="tokenizer and chat_template go together"):
        AuditConfig(tokenizer="out/tiny_base")
    with pytest.raises(ValidationError, match=r"watch_psi 0\.3 is above max_psi 0\.25"):
        AuditConfig(watch_psi=0.3)
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        AuditConfig(max_synthetic=30)
