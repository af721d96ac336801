from collections.abc import Sequence
from typing import Any

import pytest

from common.chat.messages import Message
from data_pipeline.diversity.config import DiversityConfig, TopicConfig
from data_pipeline.diversity.tags import Tagger, difficulty, is_ambiguous, tagged_topic
from data_pipeline.schema import Sentiment

TOPICS = {"refund": "returns", "shipping": "delivery"}
PLAIN = "The lamp is on its way."


def chat(*turns: str) -> list[Message]:
    """Turns that are the customer's and the agent's by turns."""
    return [{"role": "assistant" if n % 2 else "user", "content": turn} for n, turn in enumerate(turns)]


@pytest.mark.parametrize(
    ("fields", "topic"),
    [
        ({"tags": ["vip", "shipping", "refund"]}, "returns"),
        ({"tags": "vip, shipping"}, "delivery"),
        ({"tags": ["vip", None, 3]}, None),
        ({"tags": {"a": 1}}, None),
        ({"intent": " billing "}, "billing"),
        ({"intent": "refund"}, "returns"),
        ({"intent": "", "tags": ["shipping"]}, "delivery"),
        ({}, None),
    ],
)
def test_a_field_or_the_first_mapped_tag_names_the_topic(fields: dict[str, Any], topic: str | None):
    assert tagged_topic(fields, [], TopicConfig(field="intent", tags=TOPICS)) == topic


def test_labels_are_tags_too():
    labels = [{"by": "ann", "label": "shipping", "at": None}]
    tagger = Tagger(DiversityConfig(topic=TopicConfig(tags=TOPICS), critical=("delivery",)))
    tags = tagger.tag(chat("Where is my parcel?", PLAIN), {}, labels)
    assert (tags.topic, tags.critical) == ("delivery", True)


@pytest.mark.parametrize(
    ("fields", "critical"), [({"tags": ["legal"]}, True), ({"tags": ["refund"]}, False), ({}, False)]
)
def test_a_critical_tag_need_not_be_a_topic(fields, critical):
    tagger = Tagger(DiversityConfig(critical=("legal",)))
    assert tagger.tag(chat("Where is my parcel?", PLAIN), fields).critical is critical


def long(words: int) -> str:
    return "The lamp came and it does not work at all now. " * (words // 11) + "Why?"


@pytest.mark.parametrize(
    ("messages", "two", "level"),
    [
        (chat("Where is my lamp?", PLAIN), False, "easy"),
        (chat(long(70), PLAIN), False, "easy"),
        (chat("Where is my lamp?", PLAIN, "When does it come?", PLAIN), True, "medium"),
        (chat(long(70), PLAIN, "When?", PLAIN, "Thanks."), False, "medium"),
        (chat(long(160), PLAIN, "When?", PLAIN, "Who?"), False, "hard"),
        (chat("Lamp?", PLAIN, "When?", PLAIN, "Who?", PLAIN, "Where?", PLAIN, "Why?"), False, "hard"),
        (
            chat("Zorbly frandle quimbated gizzards " * 3 + "are the glimfrast lamp here", PLAIN),
            True,
            "medium",
        ),
    ],
)
def test_difficulty_by_points(messages, two, level):
    assert difficulty(messages, two) == level


def test_placeholders_and_thanks_make_nothing_harder():
    names = chat("[NAME_1] [ORDER_NUMBER] " * 40 + "Where is it?", PLAIN, "Thanks!", PLAIN)
    assert difficulty(names, False) == "easy"


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("I love it!", {"csat": "bad"}, "negative"),
        ("This is terrible.", {"csat": "good"}, "negative"),
        ("I love it!", {}, "positive"),
        ("I love it, but the support is terrible.", {"csat": "offered"}, "neutral"),
        ("Where is it?", {"csat": "good"}, "positive"),
        ("Where is it?", {}, "neutral"),
        ("Where is it?", {"rating": 5}, "positive"),
        ("Where is it?", {"rating": 3}, "neutral"),
        ("Where is it?", {"satisfaction_rating": {"score": "1/5"}}, "negative"),
        ("I love it!", {"rating": -103}, "negative"),
    ],
)
def test_a_bad_rating_comes_before_cues_and_cues_before_a_good_one(text, fields, expected):
    assert Tagger(DiversityConfig()).tag(chat(text, PLAIN), fields).sentiment == expected


def test_a_rating_is_read_on_the_companys_scale():
    of_ten = Tagger(DiversityConfig(), csat_best=10)
    ratings = {
        rating: of_ten.tag(chat("Where is it?", PLAIN), {"rating": rating}).sentiment for rating in (2, 5, 9)
    }
    assert ratings == {2: "negative", 5: "neutral", 9: "positive"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello??", True),
        ("Thanks, ok", True),
        ("it is not there", True),
        ("another one?", True),
        ("[NAME]", True),
        ("help with the lamp please", True),
        ("lamp does not switch on", False),
        ("返品したいです", False),
        ("Hello, " * 60 + "my parcel from Malta is late", False),
    ],
)
def test_a_few_words_are_ambiguous(text, expected):
    assert is_ambiguous(text.replace("[NAME]", "")) is expected


def test_a_sentiment_model_takes_the_place_of_the_cues():
    class Model:
        def predict(self, texts: Sequence[str]) -> Sequence[Sentiment]:
            assert texts == ["Terrible!\nAwful!"]
            return ["positive"]

    tags = Tagger(DiversityConfig(), sentiment_model=Model()).tag(
        chat("Terrible!", PLAIN, "Awful!"), {"csat": "bad"}
    )
    assert tags.sentiment == "positive"


def test_all_tags_of_a_conversation():
    tags = Tagger(DiversityConfig(topic=TopicConfig(tags=TOPICS))).tag(
        chat(
            "My lamp flickers, can I swap it? Another thing: when do you close?", PLAIN, "I love this shop."
        ),
        {"tags": ["refund"], "csat": "good"},
    )
    assert (tags.topic, tags.difficulty, tags.sentiment) == ("returns", "easy", "positive")
    assert (tags.multi_intent, tags.ambiguous, tags.critical) == (True, False, False)
