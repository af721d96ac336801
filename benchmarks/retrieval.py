"""How often search finds the article that a question is about: by words, by meaning, and by both together.

    python -m benchmarks.retrieval out/mangaassist out/encoder

The folders are those of `python -m data_pipeline.sample` and `python -m common.encoder`. A ticket's article
is the one that its situation was written for (`truth/`). It is looked for with the customer's first message,
with all messages of the customer, and with the whole conversation, as a check of the agent's facts does: for
all tickets, and for those whose agent was not made to answer badly.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.console import say, table
from common.encoder.runtime import OnnxEncoder
from common.retrieval import Retriever, read_passages
from common.retrieval.search import LEXICAL_WEIGHT

_RRF = 60  # Cormack, Clarke and Büttcher 2009
_QUERIES = ("first message", "customer", "conversation")
_SYSTEMS = ("BM25", "embeddings", "reciprocal rank", "retriever")


def main(sample: str, encoder: str) -> None:
    """Print one table: recall@1, recall@5 and MRR by article, of each kind of question in each way."""
    folder = Path(sample)
    retriever = Retriever(read_passages(folder / "kb"), OnnxEncoder(Path(encoder), threads=2))
    articles = {passage.article for passage in retriever.passages}
    rows = []
    for name, label in (("tickets", "tickets"), ("unseen_tickets", "unseen")):
        tickets = list(_tickets(folder, name))
        right = [truth["article"] for truth, _ in tickets]
        for number, kind in enumerate(_QUERIES):
            scores = _scores(retriever, [queries[number] for _, queries in tickets])
            rows.append((f"{label}: {kind}", len(tickets), *_figures(retriever, scores, right)))
        good = [row for row, (truth, _) in enumerate(tickets) if not truth["bad_answer"]]
        figures = _figures(retriever, [system[good] for system in scores], [right[row] for row in good])
        rows.append((f"{label}: same, not bad", len(good), *figures))
    written = list(_rows(folder / "kb_questions.jsonl"))
    if written:
        scores = _scores(retriever, [row["question"] for row in written])
        figures = _figures(retriever, scores, [row["article"] for row in written])
        rows.append(("hand-written", len(written), *figures))
    else:
        say("no hand-written questions: kb_questions.jsonl is missing or empty")
    title = f"recall@1, recall@5, MRR of {len(articles)} articles in {len(retriever.passages)} passages"
    table(title, ("", "questions", *_SYSTEMS), rows)


def _tickets(sample: Path, name: str) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """What was planted in each ticket, and its queries in the order of `_QUERIES`."""
    truths = {truth["ticket_id"]: truth for truth in _rows(sample / "truth" / f"{name}.jsonl")}
    for ticket in _rows(sample / f"{name}.jsonl"):
        said = [comment for comment in ticket["comments"] if comment["public"]]
        customer = [c["body"] for c in said if c["author_id"] == ticket["requester_id"]]
        queries = (customer[0], "\n".join(customer), "\n".join(comment["body"] for comment in said))
        yield truths[ticket["id"]], queries


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _scores(retriever: Retriever, queries: list[str]) -> list[NDArray[Any]]:
    """Scores of shape (queries, passages) of each of `_SYSTEMS`."""
    words, meaning = retriever.bm25(queries), retriever.cosines(queries)
    reciprocal = 1 / (_RRF + _ranks(words)) + 1 / (_RRF + _ranks(meaning))
    return [words, meaning, reciprocal, meaning + LEXICAL_WEIGHT * words]


def _figures(retriever: Retriever, scores: list[NDArray[Any]], articles: list[str]) -> list[str]:
    """Recall@1, recall@5 and MRR of each system."""
    ranks = [_article_ranks(retriever, system, articles) for system in scores]
    return [f"{(r <= 1).mean():.3f} {(r <= 5).mean():.3f} {(1 / r).mean():.3f}" for r in ranks]


def _ranks(scores: NDArray[Any]) -> NDArray[Any]:
    return np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1) + 1


def _article_ranks(retriever: Retriever, scores: NDArray[Any], articles: list[str]) -> NDArray[Any]:
    """The place of each question's article, by its best passage; an equal score counts as ahead of it."""
    names = sorted({passage.article for passage in retriever.passages})
    of = np.array([names.index(passage.article) for passage in retriever.passages])
    best = np.stack([scores[:, of == number].max(axis=1) for number in range(len(names))], axis=1)
    own = best[np.arange(len(articles)), [names.index(article) for article in articles]]
    ranks: NDArray[Any] = (best >= own[:, None]).sum(axis=1)
    return ranks


if __name__ == "__main__":
    main(*sys.argv[1:])
