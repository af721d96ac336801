"""All texts of the sample company, as `content.load_content` reads and checks them."""

from data_pipeline.sample.label_models import (
    BadAnswerKind,
    Everyday,
    FeelingLine,
    Foreign,
    Guard,
    Handwritten,
    LowQualityKind,
)
from data_pipeline.sample.models import (
    Article,
    Aside,
    Model,
    Mood,
    Need,
    People,
    Phrases,
    Series,
    Situation,
    Variants,
)


class Content(Model):
    facts: dict[str, str]
    series: tuple[Series, ...]
    people: People
    moods: dict[str, Mood]
    phrases: Phrases
    needs: dict[str, Need]
    misspellings: dict[str, str]
    asides: tuple[Aside, ...]
    situations: tuple[Situation, ...]
    articles: dict[str, Article]
    plain_remarks: tuple[FeelingLine, ...]
    implied_remarks: tuple[FeelingLine, ...]
    bad_answers: dict[BadAnswerKind, Variants]
    low_quality: dict[LowQualityKind, Variants]
    everyday: tuple[Everyday, ...]
    foreign: tuple[Foreign, ...]
    guard: Guard
    handwritten: Handwritten
