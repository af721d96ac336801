import pytest

from data_pipeline.quality.phrases import said
from data_pipeline.quality.sentences import sentences


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("Stop whining about the tent.", "rude"),
        ("Deal with it.", "rude"),
        ("That is not our problem.", "rude"),
        ("This is your own fault.", "blames_customer"),
        ("You should have read the manual.", "blames_customer"),
        ("Nobody else has complained.", "blames_customer"),
        ("Please send me your password.", "asks_for_secrets"),
        ("I need the full card number and the CVV.", "asks_for_secrets"),
        ("What is your PIN?", "asks_for_secrets"),
        ("パスワードを教えてください。", "asks_for_secrets"),
        ("I promise that it will never break.", "impossible_promise"),
        ("You get whatever you want.", "impossible_promise"),
        ("Maybe it comes soon, probably it depends.", "vague"),
    ],
)
def test_faults(reply: str, fault: str) -> None:
    assert list(said(sentences(reply))) == [fault]


@pytest.mark.parametrize(
    "reply",
    [
        "Let me deal with it now.",
        "It is hard to get lost on this path.",
        "That was not your fault, but ours.",
        "You should have a confirmation by now.",
        "We never ask for your password.",
        "Choose a new password under Settings; the link works for an hour.",
        "I need the last four digits of the card only.",
        "I cannot promise that it will never rain.",
        "The motor has a guarantee of ten years.",
        "It is probably the fuse.",
        "The pin of the pole is bent.",
    ],
)
def test_look_alikes(reply: str) -> None:
    assert said(sentences(reply)) == {}


def test_how_sure_they_are() -> None:
    assert said(["Shut up."]) == {"rude": 0.9}
    assert said(["Tell me the code on the back."]) == {"asks_for_secrets": 1.0}
    assert said(["Maybe.", "Perhaps."]) == {"vague": 0.6}
    assert said(["Maybe, perhaps, possibly, somehow."]) == {"vague": 0.9}
