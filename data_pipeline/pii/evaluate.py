"""Measure the search for personal data on annotated sentences.

    python -m data_pipeline.pii.evaluate sentences.jsonl.gz --json out/pii.json

FILE is in presidio-research's format, one JSON object a line (also gzipped): `full_text` and `spans`, each
with `entity_type`, `start_position` and `end_position`. Precision, recall and F2 follow the rules of
presidio-evaluator's SpanEvaluator with an IoU of 0.9 (see `data_pipeline.pii.scoring`).
"""

import argparse
import gzip
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import console
from common.config import load
from common.errors import UserError
from data_pipeline.pii.config import PiiConfig, every_type
from data_pipeline.pii.labels import FINE, TYPED
from data_pipeline.pii.scoring import OUTSIDE, Counts, Score, Token, score, tags, tokenize, type_blind
from data_pipeline.pii.spans import Span

_WARM_UP = 32


@dataclass(frozen=True)
class Annotated:
    """A text and its annotated spans, their types as in the file."""

    text: str
    spans: tuple[Span, ...]


def read_annotated(path: Path) -> list[Annotated]:
    """Read presidio-research's JSON Lines. Raises UserError with the line of what is not of that format."""
    opener = gzip.open if path.suffix == ".gz" else open
    found = []
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                spans = tuple(
                    Span(span["start_position"], span["end_position"], span["entity_type"], 1.0)
                    for span in row["spans"]
                )
                found.append(Annotated(row["full_text"], spans))
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{path}, line {number}: {error!r}",
                    "each line needs full_text, and spans of entity_type, start_position, end_position",
                ) from None
    if not found:
        raise UserError(f"{path} is empty")
    return found


def compare(rows: Sequence[Annotated], predictions: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """The figures of `predictions` (spans of our own types) against `rows`, ready for JSON."""
    tokens = tokenize(row.text for row in rows)
    truth, found = _tagged(rows, predictions, tokens, TYPED)
    blind = score(tokens, list(map(type_blind, truth)), list(map(type_blind, found)))
    fine = _tagged(rows, predictions, tokens, FINE)
    labels = sorted({span.entity_type for row in rows for span in row.spans})
    return {
        **_figures(score(tokens, truth, found)),
        "type_blind": _total(blind),
        "fine": _figures(score(tokens, *fine)),
        "label_map": {label: TYPED.get(label, label) for label in labels},
        "fine_label_map": {label: FINE.get(label, label) for label in labels},
        "n_docs": len(rows),
    }


def _tagged(
    rows: Sequence[Annotated],
    predictions: Sequence[Sequence[Span]],
    tokens: Sequence[Sequence[Token]],
    label_map: Mapping[str, str],
) -> tuple[list[list[str]], list[list[str]]]:
    """Annotated and predicted tags. Predictions of types that the file never labels are left out."""
    truth = [_mapped(row.spans, label_map) for row in rows]
    labelled = {span.entity_type for spans in truth for span in spans}
    guesses = [
        [span for span in _mapped(spans, label_map) if span.entity_type in labelled] for spans in predictions
    ]
    annotated = [tags(of_text, spans) for of_text, spans in zip(tokens, truth, strict=True)]
    predicted = [tags(of_text, spans) for of_text, spans in zip(tokens, guesses, strict=True)]
    return annotated, predicted


def _mapped(spans: Sequence[Span], label_map: Mapping[str, str]) -> list[Span]:
    return [
        Span(span.start, span.end, label_map.get(span.entity_type, span.entity_type), span.score)
        for span in spans
        if span.entity_type != OUTSIDE
    ]


def _figures(result: Score) -> dict[str, Any]:
    by_type = sorted(result.by_type.items(), key=lambda item: (-item[1].annotated, item[0]))
    figures = {name: {**_rounded(counts), "support": counts.annotated} for name, counts in by_type}
    return {**_total(result), "by_type": figures}


def _total(result: Score) -> dict[str, float | None]:
    return _rounded(result.total)


def _rounded(counts: Counts) -> dict[str, float | None]:
    values = {"precision": counts.precision, "recall": counts.recall, "f2": counts.f(2)}
    return {name: None if math.isnan(value) else round(value, 4) for name, value in values.items()}


def evaluate(path: Path, config: PiiConfig) -> dict[str, Any]:
    """Search the texts of `path` and compare; `docs_per_s` leaves out loading and comparing."""
    from data_pipeline.pii.engine import load_engine

    rows = read_annotated(path)
    engine = load_engine(config)
    texts = [row.text for row in rows]
    engine.find(texts[:_WARM_UP])
    started = time.perf_counter()
    predictions = engine.find(texts)
    seconds = time.perf_counter() - started
    return {**compare(rows, predictions), "docs_per_s": round(len(texts) / seconds, 1)}


def _show(path: Path, figures: dict[str, Any]) -> None:
    columns = ("", "precision", "recall", "F2", "spans")
    rows = [
        ("typed", *_cells(figures), ""),
        ("type-blind", *_cells(figures["type_blind"]), ""),
        ("fine", *_cells(figures["fine"]), ""),
        *((f"  {name}", *_cells(of), of["support"]) for name, of in figures["fine"]["by_type"].items()),
    ]
    console.table(f"{path.name}: {figures['n_docs']:,} texts", columns, rows)
    console.run_log("PII", f2=figures["f2"], docs_per_s=figures["docs_per_s"])


def _cells(figures: Mapping[str, float | None]) -> list[str]:
    return [
        "–" if figures[name] is None else f"{figures[name]:.3f}" for name in ("precision", "recall", "f2")
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m data_pipeline.pii.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="annotated sentences, .jsonl or .jsonl.gz")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file")
    parser.add_argument("--config", type=Path, metavar="YAML", help="a PiiConfig; default: every type is on")
    arguments = parser.parse_args(argv)
    try:
        config = load(PiiConfig, arguments.config) if arguments.config else every_type()
        figures = evaluate(arguments.file, config)
        if arguments.json:
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    _show(arguments.file, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
