"""What a conversation is about, how hard it is, how its customer feels; each row by itself.

Rules, not models: they need no training data, and say why. A sentiment classifier can take the place of one
of them (`SentimentModel`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from common.chat.messages import Message
from common.encoder.embedded import EMBEDDED, source
from common.retrieval.words import terms
from data_pipeline.diversity.config import DiversityConfig, TopicConfig
from data_pipeline.diversity.cues import asks_for_two, complaints, praises, requests
from data_pipeline.pii.placeholders import ANY_PLACEHOLDER
from data_pipeline.quality.outcome import CSAT_BEST, csat
from data_pipeline.schema import Difficulty, Sentiment
from data_pipeline.sources.labels import Label

_PLACEHOLDER = re.compile(ANY_PLACEHOLDER)
_WORD = re.compile(r"[a-z]{3,}")
_COUNTED = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]{2}|[^\W_\u3040-\u30ff\u3400-\u9fff]+"
)  # Japanese by pairs
_FEWEST_WORDS = 10
_BAD_RATING, _GOOD_RATING = 0.25, 0.75  # two stars of five, and four
_FEWEST_TERMS = 2
_OPENING = 200  # characters, which nearly always settle the matter
_COURTEOUS = """
hello hi hey hiya dear good morning afternoon evening day thank thanks thx please pls ok okay yes no sir madam
team support help question one another thing something anything nothing
こん んに にち ちは あり りが がと とう よろ ろし しく
"""
_COURTESIES = frozenset(_COURTEOUS.split())


class SentimentModel(Protocol):
    """A classifier of customers' messages."""

    def predict(self, texts: Sequence[str]) -> Sequence[Sentiment]:
        """The sentiment of each text."""
        ...


@dataclass(frozen=True)
class Tags:
    """`topic` is None where neither field nor tag names one: see `topics.complete_topics`.

    `ambiguous` means that the customer's words are too few to tell what they want.
    """

    topic: str | None
    difficulty: Difficulty
    sentiment: Sentiment
    multi_intent: bool
    ambiguous: bool
    critical: bool


class Tagger:
    """Tags conversations.

    Args:
        config: where topics come from, and what is critical.
        csat_best: the best of ratings that are numbers.
        sentiment_model: is asked about all that the customer says, instead of CSAT and cues.
    """

    def __init__(
        self,
        config: DiversityConfig,
        csat_best: int = CSAT_BEST,
        sentiment_model: SentimentModel | None = None,
    ) -> None:
        self.config = config
        self.csat_best = csat_best
        self.sentiment_model = sentiment_model
        self._critical = frozenset(config.critical)

    def tag(
        self, messages: Sequence[Message], fields: Mapping[str, Any], labels: Sequence[Label] = ()
    ) -> Tags:
        """The tags of a conversation; `fields` is what else its row says: tags and ratings are used."""
        said = [_PLACEHOLDER.sub(" ", text) for text in customer_messages(messages)]
        text = "\n".join(said)
        topic = tagged_topic(fields, labels, self.config.topic)
        two = any(map(asks_for_two, said))
        return Tags(
            topic=topic,
            difficulty=difficulty(messages, two),
            sentiment=self._sentiment(text, fields),
            multi_intent=two,
            ambiguous=is_ambiguous(text),
            critical=not self._critical.isdisjoint([*_tags(fields, labels), topic]),
        )

    def _sentiment(self, text: str, fields: Mapping[str, Any]) -> Sentiment:
        if self.sentiment_model is not None:
            return self.sentiment_model.predict([text])[0]
        return sentiment(text, csat(fields, self.csat_best))


def tagged_topic(fields: Mapping[str, Any], labels: Sequence[Label], config: TopicConfig) -> str | None:
    """The topic that a row's field, tags or labels name; the first of `config.tags` that the row has."""
    value = fields.get(config.field) if config.field else None
    if isinstance(value, str) and value.strip():
        return config.tags.get(value.strip(), value.strip())
    found = set(_tags(fields, labels))
    return next((topic for tag, topic in config.tags.items() if tag in found), None)


def _tags(fields: Mapping[str, Any], labels: Sequence[Label]) -> list[str]:
    """Labels, and tags as exports have them: a list of texts, or one text with commas between."""
    tags = fields.get("tags")
    values = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []
    found = [tag.strip() for tag in values if isinstance(tag, str) and tag.strip()]
    return found + [label["label"] for label in labels]


def customer_messages(messages: Sequence[Message]) -> list[str]:
    """What the customer says, a text a message."""
    return [message["content"] for message in messages if message["role"] == "user"]


def difficulty(messages: Sequence[Message], asks_for_two: bool) -> Difficulty:
    """Easy up to one point, medium with two or three, hard from four on.

    A point each, and two where a second number is reached: customer's messages (3, 5); customer's words
    (60, 150); follow-up questions, which come after an answer (1, 3). One point each: two requests in one
    message, or four in all; one word in eight that the embedded encoder's vocabulary of 30,522 does not have.
    """
    answer = next(
        (place for place, each in enumerate(messages) if each["role"] == "assistant"), len(messages)
    )
    said = [
        (place > answer, _PLACEHOLDER.sub(" ", each["content"]))
        for place, each in enumerate(messages)
        if each["role"] == "user"
    ]
    asked = [(follows, requests(text)) for follows, text in said]
    text = "\n".join(text for _, text in said)
    points = _steps(len(said), 3, 5) + _steps(len(_COUNTED.findall(text)), 60, 150)
    points += _steps(sum(follows and count > 0 for follows, count in asked), 1, 3)
    points += asks_for_two or sum(count for _, count in asked) >= 4
    points += _rare_words(text) >= 1 / 8
    return "easy" if points <= 1 else "medium" if points <= 3 else "hard"


def sentiment(text: str, rating: float | None = None) -> Sentiment:
    """Negative for a bad rating; else what the cues say; where they are silent, positive for a good rating.

    Args:
        text: all that the customer says.
        rating: the customer's, from 0 to 1.
    """
    if rating is not None and rating <= _BAD_RATING:
        return "negative"
    balance = praises(text) - complaints(text)
    if balance == 0:
        return "positive" if rating is not None and rating >= _GOOD_RATING else "neutral"
    return "positive" if balance > 0 else "negative"


def is_ambiguous(text: str) -> bool:
    """Whether a customer's words, without courtesies and words such as 'the', are fewer than two."""
    for part in (text[:_OPENING], text):
        if sum(term not in _COURTESIES for term in terms(part)) >= _FEWEST_TERMS:
            return False
    return True


def _steps(value: int, first: int, second: int) -> int:
    return (value >= first) + (value >= second)


def _rare_words(text: str) -> float:
    """Share of the Latin words that the vocabulary lacks; 0 for a few words, which say little."""
    found = _WORD.findall(text.lower())
    if len(found) < _FEWEST_WORDS:
        return 0.0
    return sum(word not in _vocabulary() for word in found) / len(found)


@cache
def _vocabulary() -> frozenset[str]:
    return frozenset((Path(source(EMBEDDED)) / "vocab.txt").read_text(encoding="utf-8").splitlines())
