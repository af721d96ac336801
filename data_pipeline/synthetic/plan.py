"""Which conversations are asked for: passages, and who asks how, in which language."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, product
from typing import TypeVar

from common.errors import UserError
from common.retrieval import Passage
from data_pipeline.synthetic.config import Difficulty, SynthesiseConfig

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """One conversation to be written.

    Attributes:
        id: `<passage>/<number>`; the number tells apart what is asked for about the same passage.
        passages: what the answers may draw on; the first one is what the conversation is about.
        language: ISO 639-1.
    """

    id: str
    passages: tuple[Passage, ...]
    persona: str
    difficulty: Difficulty
    language: str
    tone: str


def plan(passages: Sequence[Passage], config: SynthesiseConfig) -> list[Request]:
    """The config's conversations, in order; all passages get as many, or one less.

    They depend on nothing but the seed, and each on its own passage alone: with more conversations, or with
    another article in the folder, those that were asked for before are asked for again, which costs nothing.
    No two are the same.

    Raises:
        UserError: there are fewer combinations than conversations.
    """
    kinds = list(product(config.personas, config.difficulties, config.languages, config.tones))
    most = len(kinds) * len(passages)
    if config.conversations > most:
        raise UserError(
            f"{config.conversations:,} conversations are more than the {most:,} combinations of passage, "
            "persona, difficulty, language and tone",
            "ask for less, or give more personas or tones",
        )
    by_article: dict[str, list[Passage]] = {}
    for passage in passages:
        by_article.setdefault(passage.article, []).append(passage)
    shuffled = {passage.id: _shuffled(kinds, config.seed, passage.id) for passage in passages}
    requests: list[Request] = []
    for turn in count():
        for passage in _shuffled(passages, config.seed, f"turn {turn}"):
            if len(requests) == config.conversations:
                return requests
            persona, difficulty, language, tone = shuffled[passage.id][turn]
            given = _given(passage, by_article[passage.article], difficulty)
            requests.append(Request(f"{passage.id}/{turn}", given, persona, difficulty, language, tone))
    raise AssertionError("the loop above has no end of its own")


def _given(passage: Passage, article: Sequence[Passage], difficulty: Difficulty) -> tuple[Passage, ...]:
    """A hard conversation is about two things: the passage, and the next one of its article."""
    if difficulty != "hard" or len(article) == 1:
        return (passage,)
    return passage, article[(article.index(passage) + 1) % len(article)]


def _shuffled(items: Sequence[T], seed: int, what: str) -> list[T]:
    return random.Random(f"{seed}:{what}").sample(items, len(items))
