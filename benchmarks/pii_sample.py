"""How much of the sample company's planted personal data is found, kind by kind.

    python -m benchmarks.pii_sample out/mangaassist

The folder is that of `python -m data_pipeline.sample`. Comments that customers see are cleaned as in a build
and searched, with the shop's own order and tracking numbers as patterns and its series allowed. An item is
found when all its letters and digits lie in spans: of any type, and of the right one. A span is right when it
lies on planted data of its kind. Ages are not planted, though some of the sample company's customers tell
theirs.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.config import load
from common.console import say, table
from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.conversation import find_in_conversations
from data_pipeline.pii.engine import load_engine
from data_pipeline.pii.spans import Span
from data_pipeline.sample.content import load_content
from data_pipeline.steps.html_to_text import html_to_text
from data_pipeline.steps.normalise_unicode import normalise_unicode
from data_pipeline.steps.normalise_whitespace import normalise_whitespace

_TYPES: dict[str, frozenset[str]] = {
    "name": frozenset({"PERSON", "TITLE"}),
    "agent_name": frozenset({"PERSON", "TITLE"}),
    "email": frozenset({"EMAIL_ADDRESS"}),
    "phone": frozenset({"PHONE_NUMBER"}),
    "address": frozenset({"ADDRESS", "LOCATION", "ZIP_CODE"}),
    "order_number": frozenset({"ORDER_NUMBER"}),
    "tracking_number": frozenset({"TRACKING_NUMBER"}),
}
_PATTERNS = {"ORDER_NUMBER": r"\bMA-\d{7}\b", "TRACKING_NUMBER": r"\bTR\d{10}\b"}


@dataclass(frozen=True)
class Item:
    start: int
    end: int
    kind: str


def main(argv: Sequence[str] | None = None) -> None:
    """Print recall by kind and precision by type."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", type=Path, metavar="YAML", help="a PiiConfig; default: that of a build")
    parser.add_argument(
        "--show", type=int, default=0, metavar="N", help="print N misses and wrong spans of each kind"
    )
    arguments = parser.parse_args(argv)
    config = load(PiiConfig, arguments.config) if arguments.config else PiiConfig()
    series = load_content().series
    titles = [name for one in series for name in (one.title, one.nick, one.publisher)]
    shop = {
        "patterns": {**_PATTERNS, **config.patterns},
        "allow_list": [*config.allow_list, "MangaAssist", *titles],
    }
    engine = load_engine(config.model_copy(update=shop))
    for name in ("tickets", "unseen_tickets"):
        conversations, items = _read(arguments.folder, name)
        found = find_in_conversations(engine, conversations)
        _report(name, conversations, items, found, arguments.show)


def _read(folder: Path, name: str) -> tuple[list[list[str]], list[list[list[Item]]]]:
    """The texts of each ticket's comments, and what is planted in each."""
    truths = {truth["ticket_id"]: truth for truth in _rows(folder / "truth" / f"{name}.jsonl")}
    conversations, planted = [], []
    for ticket in _rows(folder / f"{name}.jsonl"):
        values: Mapping[int, set[tuple[str, str]]] = defaultdict(set)
        for item in truths[ticket["id"]]["pii"]:
            values[item["comment_id"]].add((_clean(item["text"]), item["kind"]))
        public = [comment for comment in ticket["comments"] if comment["public"]]
        texts = [_clean(comment["body"]) for comment in public]
        conversations.append(texts)
        planted.append([_located(text, values[c["id"]]) for text, c in zip(texts, public, strict=True)])
    return conversations, planted


def _clean(text: str) -> str:
    return normalise_whitespace(normalise_unicode(html_to_text(text)))


def _located(text: str, values: set[tuple[str, str]]) -> list[Item]:
    """Cleaning moves what was planted: each value is looked for again, the longer ones first."""
    items: list[Item] = []
    for value, kind in sorted(values, key=lambda item: (-len(item[0]), item)):
        for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text):
            if not any(match.start() < item.end and item.start < match.end() for item in items):
                items.append(Item(match.start(), match.end(), kind))
    return items


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _report(
    name: str,
    conversations: list[list[str]],
    planted: list[list[list[Item]]],
    found: list[list[list[Span]]],
    show: int,
) -> None:
    there, any_type, right_type, spans_of, right = (Counter[str]() for _ in range(5))
    missed: dict[str, list[str]] = defaultdict(list)
    for texts, items_of, spans_of_texts in zip(conversations, planted, found, strict=True):
        for text, items, spans in zip(texts, items_of, spans_of_texts, strict=True):
            for item in items:
                there[item.kind] += 1
                covered = _covers(text, item, spans)
                any_type[item.kind] += covered
                fitting = [span for span in spans if span.entity_type in _TYPES[item.kind]]
                right_type[item.kind] += _covers(text, item, fitting)
                if not covered:
                    missed[item.kind].append(_shown(text, item.start, item.end))
            for span in spans:
                spans_of[span.entity_type] += 1
                is_right = any(_touches(span, item) for item in items)
                right[span.entity_type] += is_right
                if not is_right:
                    missed[f"wrong {span.entity_type}"].append(_shown(text, span.start, span.end))
    columns = ("kind", "planted", "found", "recall", "of its type")
    rows = [
        (kind, n, any_type[kind], f"{any_type[kind] / n:.4f}", f"{right_type[kind] / n:.4f}")
        for kind, n in there.most_common()
    ]
    table(f"{name}: recall", columns, rows)
    rows = [(kind, n, right[kind], f"{right[kind] / n:.4f}") for kind, n in spans_of.most_common()]
    rows.append(("all", spans_of.total(), right.total(), f"{right.total() / spans_of.total():.4f}"))
    table(f"{name}: precision", ("type", "spans", "right", "precision"), rows)
    for kind, examples in missed.items() if show else ():
        for example in examples[:: max(1, len(examples) // show)][:show]:
            say(f"{kind}: {example}")


def _covers(text: str, item: Item, spans: Sequence[Span]) -> bool:
    covered = {position for span in spans for position in range(span.start, span.end)}
    return all(position in covered for position in range(item.start, item.end) if text[position].isalnum())


def _touches(span: Span, item: Item) -> bool:
    return span.entity_type in _TYPES[item.kind] and span.start < item.end and item.start < span.end


def _shown(text: str, start: int, end: int) -> str:
    return repr(f"{text[max(0, start - 40) : start]}<<{text[start:end]}>>{text[end : end + 30]}")


if __name__ == "__main__":
    main()
