"""Level 3 against the sample company's truth: tags, topics, wrong labels, semantic duplicates, the sample.

    python -m benchmarks.diversity out/mangaassist out/encoder

The folders are those of `python -m data_pipeline.sample` and `python -m common.encoder`. Beside each figure
stands that of a trivial rule. Cues were written for the messages' train part: look at the others. For the
sample, 40 % of the tickets are drawn at random, as if the earlier levels had left them, and scored at random:
what differs from a random quarter is due to the spread over topics, difficulties and sentiments alone.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score, normalized_mutual_info_score, precision_recall_fscore_support

from benchmarks.tickets import clean, rows_of
from common.console import table
from common.encoder.runtime import OnnxEncoder
from data_pipeline.diversity.config import DiversityConfig, DuplicateConfig, SamplingConfig, TopicConfig
from data_pipeline.diversity.cues import asks_for_two
from data_pipeline.diversity.duplicates import semantic_duplicates
from data_pipeline.diversity.gist import gist
from data_pipeline.diversity.label_noise import find_label_noise
from data_pipeline.diversity.sampling import select
from data_pipeline.diversity.tags import Tagger, Tags, sentiment
from data_pipeline.diversity.topics import complete_topics

PARTS = ("train", "validation", "test", "handwritten", "golden")
RUNS = 20
CRITICAL = ("legal", "privacy")

Vectors = NDArray[np.float16]
Row = dict[str, Any]


class Tickets:
    """The sample's tickets with truth, tags and vectors."""

    def __init__(self, folder: Path, encoder: OnnxEncoder) -> None:
        rows = list(rows_of(folder / "tickets.jsonl"))
        self.truth = list(rows_of(folder / "truth" / "tickets.jsonl"))
        self.ids = [str(row["id"]) for row in rows]
        self.messages = [clean(row) for row in rows]
        names = {name: name for name in sorted({truth["topic"] for truth in self.truth})}
        tagger = Tagger(DiversityConfig(topic=TopicConfig(tags=names), critical=CRITICAL))
        self.tags: list[Tags] = [
            tagger.tag(said, {"tags": row["tags"], "csat": (row["satisfaction_rating"] or {}).get("score")})
            for said, row in zip(self.messages, rows, strict=True)
        ]
        self.vectors: Vectors = encoder.embed([gist(said) for said in self.messages]).astype(np.float16)

    def texts(self, places: Sequence[int]) -> list[str]:
        """What is said in the tickets at `places`."""
        return ["\n".join(message["content"] for message in self.messages[place]) for place in places]

    def true(self, name: str) -> NDArray[Any]:
        """A column of the truth, as text."""
        return np.array([str(truth[name]) for truth in self.truth])


def main(sample: str, encoder_folder: str) -> None:
    """Print all tables."""
    encoder = OnnxEncoder(Path(encoder_folder), threads=2)
    messages = {part: list(rows_of(Path(sample) / "messages" / f"{part}.jsonl")) for part in PARTS}
    truths = list(rows_of(Path(sample) / "truth" / "messages" / "train.jsonl"))
    print_cues(messages)
    vectors = encoder.embed([row["text"] for row in messages["train"]])
    print_label_noise(messages["train"], truths, vectors.astype(np.float16))
    tickets = Tickets(Path(sample), encoder)
    print_multi_intent(tickets)
    print_duplicates(tickets)
    print_sample(tickets, print_topics(tickets))


def print_cues(messages: dict[str, list[Row]]) -> None:
    """Two requests in one message, and sentiment without ratings."""
    rows = []
    for part, found in messages.items():
        two = [bool(row["second_intent"]) for row in found]
        precision, recall, f1, _ = precision_recall_fscore_support(
            two, [asks_for_two(row["text"]) for row in found], average="binary", zero_division=0
        )
        longest = sorted(len(row["text"]) for row in found)[-sum(two)]
        by_length = f1_score(two, [len(row["text"]) >= longest for row in found])
        feelings = [_feeling(row["sentiment"]) for row in found]
        macro = f1_score(feelings, [sentiment(row["text"]) for row in found], average="macro")
        neutral = f1_score(feelings, ["neutral"] * len(found), average="macro")
        figures = (precision, recall, f1, by_length, macro, neutral)
        rows.append((part, len(found), sum(two), *(f"{figure:.3f}" for figure in figures)))
    columns = ("", "rows", "two", "precision", "recall", "F1", "longest", "sentiment F1", "all neutral")
    table("cues: two requests in one message; sentiment (macro-F1)", columns, rows)


def _feeling(labels: Sequence[str]) -> str:
    if "frustration" in labels or "churn_risk" in labels:
        return "negative"
    return "positive" if "satisfaction" in labels else "neutral"


def print_label_noise(rows: list[Row], truths: list[Row], vectors: Vectors) -> None:
    """Intents planted wrong: those suspected, and as many at random."""
    found = find_label_noise([row["intent"] for row in rows], [row["id"] for row in rows], vectors)
    wrong = np.array(["intent" in truth["noisy_labels"] for truth in truths])
    suspected = np.array([bool(suspect) for suspect in found.suspected])
    hits = wrong[suspected].mean(), suspected[wrong].mean()
    lowest = np.argsort([1.0 if sure is None else sure for sure in found.confidence])[: wrong.sum()]
    two = np.array([len(truth["intents"]) > 1 for truth in truths])
    table(
        f"wrong intents among {len(rows):,} messages, {wrong.mean():.1%} of them planted",
        ("", "rows", "precision", "recall"),
        [
            ("suspected", int(suspected.sum()), *(f"{hit:.3f}" for hit in hits)),
            ("least likely", len(lowest), *[f"{wrong[lowest].mean():.3f}"] * 2),
            ("at random", int(suspected.sum()), f"{wrong.mean():.3f}", f"{suspected.mean():.3f}"),
            ("false alarms with two intents", int((suspected & ~wrong & two).sum()), "", ""),
        ],
    )


def print_multi_intent(tickets: Tickets) -> None:
    """Two requests in one message, in tickets; by difficulty."""
    two = np.array([truth["second_situation"] is not None for truth in tickets.truth])
    said = np.array([tags.multi_intent for tags in tickets.tags])
    levels = np.array([tags.difficulty for tags in tickets.tags])
    rows = [("all", len(two), f"{two.mean():.3f}", f"{two[said].mean():.3f}", f"{said[two].mean():.3f}")]
    for level in ("easy", "medium", "hard"):
        of_level = levels == level
        rows.append((level, int(of_level.sum()), f"{two[of_level].mean():.3f}", "", ""))
    columns = ("", "tickets", "two requests", "precision", "recall")
    table("two requests in one message of a ticket", columns, rows)


def print_topics(tickets: Tickets) -> list[str | None]:
    """Topics of tickets whose tag is missing, and clusters without any tags; returns the topics."""
    config, true = TopicConfig(), tickets.true("topic")
    tagged = [tags.topic for tags in tickets.tags]
    found = complete_topics(tagged, tickets.ids, tickets.vectors, tickets.texts, config)
    similar = np.array([by == "similar" for by in found.found_by])
    none = complete_topics([None] * len(tagged), tickets.ids, tickets.vectors, tickets.texts, config)
    names, frequent = np.array(found.names, dtype=object), Counter(true).most_common(1)[0][1] / len(true)
    largest = [Counter(true[np.array(none.names) == name]).most_common(1)[0][1] for name in set(none.names)]
    table(
        "topics",
        ("", "tickets", "right", "always the most frequent"),
        [
            ("tagged", sum(topic is not None for topic in tagged), "", ""),
            ("like tagged", int(similar.sum()), f"{(names == true)[similar].mean():.3f}", f"{frequent:.3f}"),
            ("clusters of what is left", found.found_by.count("cluster"), "", ""),
            (
                f"{len(set(none.names))} clusters of all: share of the largest topic",
                len(true),
                f"{sum(largest) / len(true):.3f}",
                f"{frequent:.3f}",
            ),
            (
                "the same: normalised mutual information",
                len(true),
                f"{normalized_mutual_info_score(true, none.names):.3f}",
                "0",
            ),
        ],
    )
    return found.names


def print_duplicates(tickets: Tickets) -> None:
    """How many tickets go by threshold, and whether they are of the situation of the one that stays."""
    situations, rows = tickets.true("situation"), []
    planted = [truth["near_duplicate_of"] or truth["duplicate_of"] for truth in tickets.truth]
    at = {truth["ticket_id"]: place for place, truth in enumerate(tickets.truth)}
    pairs = [(place, at[of]) for place, of in enumerate(planted) if of]
    count = len(situations)
    for threshold in (0.85, 0.9, 0.95):
        config = DuplicateConfig(threshold=threshold)
        found = semantic_duplicates(tickets.ids, [None] * count, ["en"] * count, tickets.vectors, config)
        gone = {pair.row for pair in found}
        same = np.mean([situations[pair.row] == situations[pair.of] for pair in found])
        recall = np.mean([row in gone or of in gone for row, of in pairs])
        rows.append((threshold, f"{len(found) / count:.3f}", f"{same:.3f}", f"{recall:.3f}"))
    chance = sum((size / count) ** 2 for size in Counter(situations).values())
    columns = (
        "threshold",
        "share that goes",
        f"same situation (chance {chance:.3f})",
        "planted repeats found",
    )
    table("semantic duplicates", columns, rows)


def print_sample(tickets: Tickets, topics: Sequence[str | None]) -> None:
    """A quarter of the tickets by `select` against a random quarter."""
    frame = pd.DataFrame(
        {
            "id": tickets.ids,
            "topic": topics,
            "difficulty": [tags.difficulty for tags in tickets.tags],
            "sentiment": [tags.sentiment for tags in tickets.tags],
            "critical": [tags.critical for tags in tickets.tags],
        }
    )
    ours, random = [], []
    for seed in range(RUNS):
        draw = np.random.default_rng(seed)
        left = draw.permutation(len(frame))[: int(0.4 * len(frame))]
        scored = frame.iloc[left].assign(score=draw.random(len(left)))
        kept = left[select(scored, SamplingConfig(), len(frame))["kept"].to_numpy()]
        ours.append(_spread(tickets, frame, kept))
        random.append(_spread(tickets, frame, draw.permutation(left)[: len(kept)]))
    rows = []
    for name in ours[0]:
        mine, its = (np.array([run[name] for run in runs]) for runs in (ours, random))
        low, high = np.quantile(mine - its, [0.025, 0.975])
        rows.append((name, f"{mine.mean():.3f}", f"{its.mean():.3f}", f"{low:+.3f} to {high:+.3f}"))
    columns = ("", "ours", "random", "difference, 95 % of the draws")
    table(f"a quarter of the tickets, {RUNS} draws", columns, rows)


def _spread(tickets: Tickets, frame: pd.DataFrame, kept: NDArray[np.int64]) -> dict[str, float]:
    topic, situation = tickets.true("topic")[kept], tickets.true("situation")[kept]
    intents = np.array([truth["intents"][0] for truth in tickets.truth])[kept]
    seen = Counter(situation)
    all_situations = len(set(tickets.true("situation")))
    return {
        "entropy of topics, bits": _entropy(topic),
        "entropy of intents, bits": _entropy(intents),
        "entropy of situations, bits": _entropy(situation),
        "situations seen": len(seen) / all_situations,
        "situations seen three times": sum(count >= 3 for count in seen.values()) / all_situations,
        "rows of the rarest topic": min(Counter(topic).values()),
        "escalations": float((intents == "escalation").mean()),
        "annoyed or furious": float(np.isin(tickets.true("mood")[kept], ["annoyed", "furious"]).mean()),
        "two requests": float((tickets.true("second_situation")[kept] != "None").mean()),
        "critical rows": int(frame["critical"].iloc[kept].sum()),
    }


def _entropy(values: NDArray[Any]) -> float:
    shares = np.array(list(Counter(values).values())) / len(values)
    return float(-(shares * np.log2(shares)).sum())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
