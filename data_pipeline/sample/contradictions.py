"""Answers that say something else than the knowledge base."""

import random
import re
from dataclasses import dataclass

from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Piece, Template, plain, slot_names
from data_pipeline.sample.models import Situation
from data_pipeline.sample.scope import Scope

_ATTEMPTS = 12


@dataclass(frozen=True)
class Misstatement:
    """An answer says `stated` where the article has `right`."""

    fact: str
    right: str
    stated: str


def wrong_value(content: Content, fact: str, rng: random.Random) -> str | None:
    """Another value for a fact, of the same form; None for a fact that has none (a word, a link)."""
    right = content.facts[fact]
    titles = [series.title for series in content.series]
    if right in titles:
        return rng.choice([title for title in titles if title != right])
    numbers = [int(number) for number in re.findall(r"\d+", right)]
    if not numbers or max(numbers) > 10_000:
        return None
    if right.endswith(".m."):
        shift = rng.choice((-1, 1)) if 2 <= numbers[0] <= 11 else 2 - numbers[0]
    else:
        half = max(1, numbers[0] // 2)
        most = 95 if "percent" in fact else 10 * max(numbers) + 5
        shifts = [half, numbers[0], 2 * numbers[0] + 1]
        shifts = [shift for shift in shifts if max(numbers) + shift <= most]
        if numbers[0] - half > 1:  # "within 1 days" would give it away
            shifts.append(-half)
        shift = rng.choice(shifts or [half])
    return re.sub(r"\d+", lambda match: str(int(match.group()) + shift), right)


def alterable_answers(content: Content, situation: Situation) -> list[tuple[Template, str]]:
    """Answers of a situation with a fact in them for which there is a wrong value."""
    rng = random.Random(0)
    return [
        (answer, fact)
        for answer in situation.answers
        for fact in sorted(slot_names(answer) & content.facts.keys())
        if wrong_value(content, fact, rng) is not None
    ]


def contradict(
    content: Content, situation: Situation, scope: Scope, rng: random.Random
) -> tuple[list[Piece], Misstatement]:
    """An answer that misstates a fact; from then on `scope` misstates it too. The situation must have one."""
    candidates = alterable_answers(content, situation)
    for _ in range(_ATTEMPTS):
        answer, fact = rng.choice(candidates)
        stated = wrong_value(content, fact, rng)
        assert stated is not None
        before = content.facts[fact]
        scope.misstate(fact, stated)
        pieces = scope.expand(answer)
        says_it_once = plain(pieces).count(stated) == 1  # and not of a second series, too
        if fact in scope.used and (says_it_once or stated.isdigit()):
            return pieces, Misstatement(fact, before, stated)
        scope.misstate(fact, before)
    raise ValueError(f"no answer of {situation.name} states a fact in {_ATTEMPTS} attempts")
