"""From what the systems did on a test set to figures with intervals, and to a verdict."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.config import CONSTANT_REPLY
from eval.outcomes import EvalSet, Outcome
from eval.perplexity import Score
from eval.stats import Bootstrap, Interval

Metric = Literal["perplexity", "rouge_l"]


@dataclass(frozen=True)
class Figure:
    """One metric of one system on one test set.

    `against` compares with the baseline and with the constant reply: a ratio for perplexity, a difference for
    ROUGE-L. All systems' figures are over the same `scored` rows, those for which each of them has a score;
    `unscored` counts the rows for which this system has none, by reason. `value` is None where the scored
    rows are too few for an interval.
    """

    test_set: str
    system: str
    metric: Metric
    value: Interval | None
    against: dict[str, Interval]
    scored: int
    unscored: dict[str, int]


@dataclass(frozen=True)
class Settings:
    """What all figures of a report share."""

    baseline: str
    bootstrap_samples: int
    bootstrap_seed: int

    def bootstrap(self, clusters: Sequence[str]) -> Bootstrap | None:
        """None where there are too few clusters for an interval."""
        if len(set(clusters)) < 2:
            return None
        return Bootstrap(clusters, self.bootstrap_samples, self.bootstrap_seed)


def figures(test_set: EvalSet, outcomes: dict[str, Outcome], settings: Settings) -> list[Figure]:
    """All figures of a test set: perplexity of the systems in their order, then ROUGE-L."""
    scores = {name: outcome.scores for name, outcome in outcomes.items() if outcome.scores}
    found = _perplexity(test_set, scores, settings)
    if test_set.turns:
        found += _rouge_l(test_set, outcomes, settings)
    return found


def _perplexity(test_set: EvalSet, scores: dict[str, list[Score]], settings: Settings) -> list[Figure]:
    rows = _rows_of_all([[score.unscored is None for score in own] for own in scores.values()])
    bootstrap = settings.bootstrap([test_set.conversations[row].cluster for row in rows])
    nll = {name: [own[row].nll for row in rows] for name, own in scores.items()}
    tokens = {name: [own[row].tokens for row in rows] for name, own in scores.items()}

    def figure(name: str) -> Figure:
        value, against = None, {}
        if bootstrap is not None:
            value = bootstrap.perplexity(nll[name], tokens[name])
            # Another tokenizer cuts the text into other tokens: a ratio would compare nothing.
            if name != settings.baseline and tokens[name] == tokens[settings.baseline]:
                ratio = bootstrap.perplexity_ratio(nll[name], nll[settings.baseline], tokens[name])
                against[settings.baseline] = ratio
        unscored = _count(score.unscored for score in scores[name])
        return Figure(test_set.name, name, "perplexity", value, against, len(rows), unscored)

    return [figure(name) for name in scores]


def _rouge_l(test_set: EvalSet, outcomes: dict[str, Outcome], settings: Settings) -> list[Figure]:
    rows = _rows_of_all([[value is not None for value in own.rouge_l] for own in outcomes.values()])
    bootstrap = settings.bootstrap([test_set.turns[row].conversation.cluster for row in rows])
    values = {name: [own.rouge_l[row] or 0.0 for row in rows] for name, own in outcomes.items()}
    references = [name for name in (settings.baseline, CONSTANT_REPLY) if name in outcomes]

    def figure(name: str) -> Figure:
        value, against = None, {}
        if bootstrap is not None:
            value = bootstrap.mean(values[name])
            against = {
                other: bootstrap.mean_difference(values[name], values[other])
                for other in references
                if other != name and name != CONSTANT_REPLY
            }
        unscored = _count(reply.error for reply in outcomes[name].replies)
        return Figure(test_set.name, name, "rouge_l", value, against, len(rows), unscored)

    return [figure(name) for name in outcomes]


def better(figure: Figure, other: str) -> bool | None:
    """Whether a figure is better than another system's, by its interval; None when it does not say."""
    against = figure.against[other]
    if figure.metric == "perplexity":
        return True if against.high < 1 else False if against.low > 1 else None
    return True if against.low > 0 else False if against.high < 0 else None


def verdict(found: Sequence[Figure], baseline: str) -> list[str]:
    """One line for each system that is compared with the baseline: where it is better, worse, or neither."""
    systems = dict.fromkeys(figure.system for figure in found if baseline in figure.against)
    return [_verdict([figure for figure in found if figure.system == name], baseline) for name in systems]


def _verdict(found: Sequence[Figure], baseline: str) -> str:
    def where(select: Callable[[Figure], bool]) -> str:
        by_metric: dict[str, list[str]] = {}
        for figure in filter(select, found):
            by_metric.setdefault(metric_name(figure.metric), []).append(figure.test_set)
        return "; ".join(f"{metric} on {', '.join(sets)}" for metric, sets in by_metric.items())

    parts = {
        "better": where(lambda f: baseline in f.against and better(f, baseline) is True),
        "worse": where(lambda f: baseline in f.against and better(f, baseline) is False),
        "no difference shown": where(lambda f: baseline in f.against and better(f, baseline) is None),
        f"not shown to beat the {CONSTANT_REPLY}": where(
            lambda f: CONSTANT_REPLY in f.against and better(f, CONSTANT_REPLY) is not True
        ),
    }
    said = ". ".join(f"{word[0].upper()}{word[1:]}: {places}" for word, places in parts.items() if places)
    return f"{found[0].system} against {baseline}. {said}."


def metric_name(metric: Metric) -> str:
    """What people read."""
    return {"perplexity": "perplexity", "rouge_l": "ROUGE-L"}[metric]


def _rows_of_all(has_score: list[list[bool]]) -> list[int]:
    """The rows for which every system has a score."""
    return [row for row, scored in enumerate(zip(*has_score, strict=True)) if all(scored)]


def _count(reasons: Iterable[str | None]) -> dict[str, int]:
    """Reasons by frequency, without their details (what follows the colon)."""
    return dict(Counter(reason.split(":")[0] for reason in reasons if reason).most_common())


def from_json(text: str) -> list[Figure]:
    """The figures of a results.json."""
    return [
        Figure(
            **entry
            | {
                "value": entry["value"] and Interval(**entry["value"]),
                "against": {other: Interval(**against) for other, against in entry["against"].items()},
            }
        )
        for entry in json.loads(text)["figures"]
    ]
