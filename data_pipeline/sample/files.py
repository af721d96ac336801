"""The files of the sample company, written row by row: memory does not grow with their number."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from common import console
from data_pipeline.sample.company import Content
from data_pipeline.sample.config import SampleConfig
from data_pipeline.sample.generate import Sample
from data_pipeline.sample.guard import GuardRows
from data_pipeline.sample.kb import render_article
from data_pipeline.sample.message_rows import MessageRows
from data_pipeline.sample.messages import MessageWriter
from data_pipeline.sample.models import Model
from data_pipeline.sample.pairs import PairRows
from data_pipeline.sample.splits import SPLITS
from data_pipeline.sample.synthetic import SyntheticRows

Json = dict[str, Any]
Make = Callable[[int], tuple[Json, Json]]

_PLANTED = (
    "duplicate_of",
    "near_duplicate_of",
    "mixes_japanese",
    "bad_answer",
    "contradiction",
    "low_quality",
)


def write_files(folder: Path, content: Content, config: SampleConfig) -> dict[str, int]:
    """Write everything below `folder`; returns the number of rows by file and of what is planted in them."""
    counts: Counter[str] = Counter()
    for name, count, make in _generated(content, config):
        counts += _write_rows(folder, name, count, make)
    for name, rows in _handwritten(content):
        _write_lines(folder / f"{name}.jsonl", rows)
        counts[name] = len(rows)
    (folder / "kb").mkdir()
    for article in content.articles.values():
        (folder / "kb" / f"{article.id}.md").write_text(render_article(content, article), encoding="utf-8")
    counts["kb"] = len(content.articles)
    return dict(counts)


def _generated(content: Content, config: SampleConfig) -> Iterator[tuple[str, int, Make]]:
    sample = Sample(content, config.seed, config.rates)
    yield "tickets", config.tickets, sample.ticket
    yield "unseen_tickets", config.unseen_tickets, sample.unseen_ticket
    yield "synthetic", config.synthetic, SyntheticRows(sample).row
    yield "preferences", config.preference_pairs, PairRows(sample, held_out=False).row
    yield "unseen_preferences", config.unseen_preference_pairs, PairRows(sample, held_out=True).row
    messages = MessageRows(MessageWriter(content, config.seed, config.rates))
    guard = GuardRows(content, config.seed)
    for split in SPLITS:
        yield f"messages/{split}", getattr(config, f"{split}_messages"), partial(messages.row, split)
    for split in SPLITS:
        yield f"guard/{split}", getattr(config, f"{split}_guard"), partial(guard.row, split)


def _handwritten(content: Content) -> Iterator[tuple[str, list[Json]]]:
    handwritten = content.handwritten
    messages = _numbered("handwritten", handwritten.messages)
    yield "messages/handwritten", [message for message in messages if not message["hard"]]
    yield "messages/golden", [message for message in messages if message["hard"]]
    yield "guard/handwritten", _numbered("guard-handwritten", handwritten.guard)
    yield "kb_questions", _numbered("question", handwritten.questions)


def _numbered(name: str, entries: Sequence[Model]) -> list[Json]:
    return [
        {"id": f"{name}-{number:03}", **entry.model_dump(mode="json")} for number, entry in enumerate(entries)
    ]


def _write_rows(folder: Path, name: str, count: int, make: Make) -> Counter[str]:
    """Write `name`.jsonl and its truth; counts both the rows and what was planted."""
    counts = Counter({name: count})
    rows, truths = folder / f"{name}.jsonl", folder / "truth" / f"{name}.jsonl"
    for path in (rows, truths):
        path.parent.mkdir(parents=True, exist_ok=True)
    with (
        rows.open("w", encoding="utf-8", newline="\n") as row_file,
        truths.open("w", encoding="utf-8", newline="\n") as truth_file,
    ):
        first: dict[bytes, str] = {}
        for row, truth in console.track(map(make, range(count)), name, total=count, unit="rows"):
            if "same_text_as" in truth:  # short messages coincide, though nobody planted that
                key = hashlib.blake2b(row["text"].encode(), digest_size=16).digest()
                earlier = first.setdefault(key, row["id"])
                truth["same_text_as"] = earlier if earlier != row["id"] else None
            row_file.write(_line(row))
            truth_file.write(_line(truth))
            counts.update(f"{name}:{kind}" for kind in _PLANTED if truth.get(kind))
            counts[f"{name}:multi_intent"] += len(truth.get("intents", ())) > 1
    return counts


def _write_lines(path: Path, rows: list[Json]) -> None:
    path.write_text("".join(map(_line, rows)), encoding="utf-8", newline="\n")


def _line(row: Json) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
