from typing import Any

import pytest

from data_pipeline.quality.outcome import csat, resolution, satisfaction_said


@pytest.mark.parametrize(
    ("fields", "last_words", "expected"),
    [
        ({"status": "solved"}, None, 1.0),
        ({"status": "Closed"}, "When is that?", 1.0),
        ({"status": "pending"}, None, 0.5),
        ({"status": "open"}, None, 0.25),
        ({"status": 4}, None, 1.0),
        ({"status": "on its way"}, None, None),
        ({}, "perfect, thanks", 1.0),
        ({}, "It still doesn't work.", 0.0),
        ({"status": "solved"}, "That's not what I asked.", pytest.approx(1 / 3)),
        ({"status": "open"}, "Great, thank you!", pytest.approx(2.25 / 3)),
        ({"reward": 1.0, "status": "open"}, "useless", 1.0),
        ({"reward": 0}, None, 0.0),
        ({"reward": True}, None, None),
        ({"reward": 7}, None, None),
        ({}, None, None),
    ],
)
def test_resolution(fields: dict[str, Any], last_words: str | None, expected: float | None) -> None:
    assert resolution(fields, last_words) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thx!", 1.0),
        ("got it, cheers", 1.0),
        ("ありがとう", 1.0),
        ("Thanks for nothing.", 0.0),
        ("Thanks, but it still does not help", 0.0),
        ("What?!", 0.0),
        ("And in June?", None),
        ("thankless work", None),
    ],
)
def test_last_words(text: str, expected: float | None) -> None:
    assert satisfaction_said(text) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"csat": "good"}, 1.0),
        ({"csat": "bad_with_comment"}, 0.0),
        ({"csat": "offered"}, None),
        ({"csat": "Very Good"}, None),
        ({"csat": 5}, 1.0),
        ({"csat": "4"}, 0.75),
        ({"csat": 1}, 0.0),
        ({"csat": 0}, None),
        ({"csat": 9}, None),
        ({"csat": "3/5"}, 0.5),
        ({"csat": "8 out of 10"}, pytest.approx(7 / 9)),
        ({"csat": "★★★★☆"}, 0.75),
        ({"csat": True}, 1.0),
        ({"csat": {"score": "bad"}}, 0.0),
        ({"thumbs": "thumbs up"}, 1.0),
        ({"thumbs": "👎"}, 0.0),
        ({"rating": 103, "csat": "good"}, 1.0),
        ({"rating": -102, "csat": "bad"}, pytest.approx(1 / 6)),
        ({"rating": 4, "csat": "good"}, 0.75),
        ({"rating": "n/a"}, None),
        ({"rating": float("nan")}, None),
        ({}, None),
    ],
)
def test_csat(fields: dict[str, Any], expected: float | None) -> None:
    assert csat(fields, best=5) == expected


def test_csat_on_another_scale() -> None:
    assert csat({"csat": 7}, best=10) == pytest.approx(6 / 9)
