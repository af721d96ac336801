"""How well the quality score tells planted faulty answers from good ones, without a judge, and how fast.

    python -m benchmarks.quality out/mangaassist out/encoder

The folders are those of `python -m data_pipeline.sample` and `python -m common.encoder`. Nothing is sampled:
all tickets count. Beside the score: the score without the outcome (rating, status, the customer's last
words), each component alone, and rules that anybody could think of: more characters in all replies or in the
main one, more replies, solved, rated good, like others by TF-IDF. What was not measured counts as the median.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.chat import normalise
from common.console import run_log, table
from common.encoder.runtime import OnnxEncoder
from common.retrieval import read_passages
from common.seeds import BOOTSTRAP
from data_pipeline.quality.config import COMPONENTS, QualityConfig
from data_pipeline.quality.dialogue import Dialogue
from data_pipeline.quality.phrases import PROMISE, SECRETS
from data_pipeline.quality.scorer import Scorer
from data_pipeline.quality.scores import QualityScores, combine, reasons
from data_pipeline.sources import zendesk
from data_pipeline.steps.html_to_text import html_to_text
from data_pipeline.steps.normalise_unicode import normalise_unicode
from data_pipeline.steps.normalise_whitespace import normalise_whitespace

Array = NDArray[np.float64]

_FILES = ("tickets", "unseen_tickets")
_CONTRADICTION = "contradiction"
_SHORT = {
    "rude": "rude",
    "blames_customer": "blames",
    "vague": "vague",
    "asks_for_secrets": "secrets",
    "empty_promise": "promises",
    "off_topic": "off topic",
    _CONTRADICTION: "contradicts",
}
"""Kinds of planted faults with their names in tables; the contradiction comes last."""
_WITH_INTERVAL = ("bad", "contradicts", "all")
_BATCH = 64
_RESAMPLES = 500
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Ticket:
    """A conversation with what was planted in it: one of `_SHORT`, or nothing ("good")."""

    dialogue: Dialogue
    planted: str
    situation: str


def main(sample: str, encoder: str) -> None:
    """Print AUCs by fault with bootstrap intervals, shares of rejected tickets, and speed."""
    if hasattr(os, "sched_setaffinity"):  # Linux: one core
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    config, folder = QualityConfig(), Path(sample)
    embedder = OnnxEncoder(Path(encoder), precision="int8", threads=1, batch_tokens=1)
    started = time.process_time()
    scorer = Scorer(config, read_passages(folder / "kb"), embedder)
    run_log("READY", seconds=time.process_time() - started)
    for name in _FILES:
        tickets = list(_tickets(folder, name))
        scores, seconds = _score(scorer, tickets)
        run_log("SCORED", file=name, tickets=len(tickets), per_second_of_one_core=len(tickets) / seconds)
        _show_auc(name, tickets, scores, config)
        _show_rejected(name, tickets, scores, config)


def _tickets(sample: Path, name: str) -> Iterator[Ticket]:
    truths = {truth["ticket_id"]: truth for truth in _rows(sample / "truth" / f"{name}.jsonl")}
    for row in _rows(sample / f"{name}.jsonl"):
        read = zendesk.read(row)
        messages: list[dict[str, Any]] = [
            {"role": message["role"], "content": _clean(message["content"])}
            for message in read.messages
            if not message.get("internal")
        ]
        said = normalise(messages, training=True)
        end = max(place for place, message in enumerate(said, 1) if message["role"] == "assistant")
        truth = truths[row["id"]]
        planted = truth["bad_answer"] or (_CONTRADICTION if truth[_CONTRADICTION] else "good")
        situation = truth["situation"] or str(row["id"])
        yield Ticket(Dialogue(said[:end], said[end:], read.fields), planted, situation)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _clean(text: str) -> str:
    return normalise_whitespace(normalise_unicode(html_to_text(text)))


def _score(scorer: Scorer, tickets: list[Ticket]) -> tuple[list[QualityScores], float]:
    """Scores, and the seconds of one core that they took."""
    scores: list[QualityScores] = []
    started = time.process_time()
    for start in range(0, len(tickets), _BATCH):
        scores += scorer.score([ticket.dialogue for ticket in tickets[start : start + _BATCH]])
    return scores, time.process_time() - started


def _show_auc(name: str, tickets: list[Ticket], scores: list[QualityScores], config: QualityConfig) -> None:
    """A table of AUCs by fault, and one of their intervals."""
    planted = np.array([ticket.planted for ticket in tickets])
    situations = np.array([ticket.situation for ticket in tickets])
    good = planted == "good"
    groups = {_SHORT[kind]: planted == kind for kind in _SHORT}
    groups |= {"bad": np.isin(planted, [*_SHORT][:-1]), "all": ~good}
    groups = {group: faulty for group, faulty in groups.items() if faulty.any()}
    rows, intervals = [], []
    for system, values in _systems(tickets, scores, config).items():
        filled = np.where(np.isnan(values), np.nanmedian(values), values)
        aucs = [f"{_auc(filled[good], filled[faulty]):.3f}" for faulty in groups.values()]
        rows.append((system, *aucs))
        spans = [_interval(filled, good, groups[group], situations) for group in _WITH_INTERVAL]
        intervals.append((system, *spans))
    counted = [f"{group} {faulty.sum()}" for group, faulty in groups.items()]
    table(f"{name}: AUC against {good.sum()} good tickets", ("", *counted), rows)
    table(f"{name}: 95 % intervals of the AUC, over situations", ("", *_WITH_INTERVAL), intervals)


def _systems(tickets: list[Ticket], scores: list[QualityScores], config: QualityConfig) -> dict[str, Array]:
    """What is high for good tickets, by system; nan where nothing is known."""
    systems: dict[str, list[float | None]] = {
        "score": [score.score for score in scores],
        "without outcome": [_without_outcome(score, config) for score in scores],
        **{name: [score.components[name] for score in scores] for name in COMPONENTS},
        "rule: length": [_characters(ticket.dialogue) for ticket in tickets],
        "rule: main reply": [
            float(len(ticket.dialogue.main.reply)) if ticket.dialogue.main else 0.0 for ticket in tickets
        ],
        "rule: replies": [float(len(ticket.dialogue.turns)) for ticket in tickets],
        "rule: status": [
            float(ticket.dialogue.fields.get("status") in ("solved", "closed")) for ticket in tickets
        ],
        "rule: CSAT": [
            {"good": 1.0, "bad": 0.0}.get(ticket.dialogue.fields.get("csat", ""), 0.5) for ticket in tickets
        ],
    }
    arrays = {name: np.array(values, dtype=np.float64) for name, values in systems.items()}
    return arrays | {"rule: TF-IDF": _neighbours(tickets)}


def _without_outcome(score: QualityScores, config: QualityConfig) -> float | None:
    components = {**score.components, "csat": None, "resolution": None}
    return combine(components, max(score.faults.get(fault, 0.0) for fault in (SECRETS, PROMISE)), config)


def _characters(dialogue: Dialogue) -> float:
    return float(sum(len(turn.reply) for turn in dialogue.turns))


def _neighbours(tickets: list[Ticket]) -> Array:
    """Mean cosine of a ticket's replies to those of the nearest others, by TF-IDF: low for an outlier."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [" ".join(turn.reply for turn in ticket.dialogue.turns) for ticket in tickets]
    vectors = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(texts)
    found = []
    for start in range(0, len(texts), 500):
        cosines = (vectors[start : start + 500] @ vectors.T).toarray()
        found.append(np.sort(cosines, axis=1)[:, -_NEIGHBOURS - 1 : -1].mean(axis=1))
    return np.concatenate(found)


def _auc(good: Array, faulty: Array) -> float:
    """Share of pairs in which the good one is higher; a tie counts half (Mann and Whitney 1947)."""
    order = np.sort(good)
    below = np.searchsorted(order, faulty, side="left")
    up_to = np.searchsorted(order, faulty, side="right")
    return float(1 - ((below + up_to) / 2).sum() / (len(good) * len(faulty)))


def _interval(values: Array, good: NDArray[np.bool_], faulty: NDArray[np.bool_], clusters: Array) -> str:
    """Percentile bootstrap of whole situations, whose tickets resemble each other."""
    rng = np.random.default_rng(BOOTSTRAP[0])
    _, numbers = np.unique(clusters, return_inverse=True)
    members = [np.flatnonzero(numbers == number) for number in range(numbers.max() + 1)]
    found = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([members[number] for number in rng.integers(0, len(members), len(members))])
        of_good, of_faulty = values[drawn[good[drawn]]], values[drawn[faulty[drawn]]]
        if len(of_good) and len(of_faulty):
            found.append(_auc(of_good, of_faulty))
    low, high = np.quantile(found, (0.025, 0.975))
    return f"{low:.3f} to {high:.3f}"


def _show_rejected(
    name: str, tickets: list[Ticket], scores: list[QualityScores], config: QualityConfig
) -> None:
    rows = []
    for planted in ("good", *_SHORT):
        found = [
            reasons(s, config) for s, ticket in zip(scores, tickets, strict=True) if ticket.planted == planted
        ]
        counts = Counter(reason for reason in found if reason)
        shares = ", ".join(f"{reason} {count / len(found):.1%}" for reason, count in counts.most_common())
        if found:
            rows.append((planted, len(found), f"{counts.total() / len(found):.1%}", shares))
    table(f"{name}: rejected with the default thresholds", ("", "tickets", "rejected", "reasons"), rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
