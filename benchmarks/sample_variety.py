"""Is the sample company a dozen templates? Its dialogues beside real ones, by two measures.

    python -m benchmarks.sample_variety out/mangaassist/tickets.jsonl sgd/train.jsonl.gz

distinct-n (Li et al., 2016): different n-grams over all n-grams, in equally many words of each corpus. And
for dialogues drawn at random the cosine to the most similar other dialogue (TF-IDF of words of one and two).
Real dialogues: JSON Lines with `messages`, such as Schema-Guided Dialogue. Planted duplicates are left out.
"""

import gzip
import json
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from common.console import table

_DIALOGUES, _WORDS, _SEED = 3000, 150_000, 7
_WORD = re.compile(r"\w+|[^\w\s]")


def main(*paths: str) -> None:
    """Print a table with one row a file."""
    rows = []
    for path in map(Path, paths):
        dialogues = _read(path)
        random.Random(_SEED).shuffle(dialogues)
        sides = {"customer": ("user",), "agent": ("assistant",), "both": ("user", "assistant")}
        for side, roles in sides.items():
            said = [" ".join(text for role, text in dialogue if role in roles) for dialogue in dialogues]
            rows.append((f"{path.parent.name}/{path.name.split('.')[0]}, {side}", *_figures(said)))
    columns = ("", "distinct-1", "distinct-2", "distinct-3", "nearest, median", "p90", "over 0.8")
    table(f"{_WORDS:,} words; {_DIALOGUES:,} dialogues", columns, rows)


def _figures(texts: Sequence[str]) -> list[str]:
    words = [word for text in texts for word in _WORD.findall(text.lower())][:_WORDS]
    distinct = [_distinct(words, n) for n in (1, 2, 3)]
    matrix = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts[:_DIALOGUES])
    similarity: Any = (matrix @ matrix.T).toarray()
    np.fill_diagonal(similarity, 0.0)
    nearest = similarity.max(axis=1)
    return [
        *(f"{value:.4f}" for value in distinct),
        f"{np.median(nearest):.3f}",
        f"{np.quantile(nearest, 0.9):.3f}",
        f"{np.mean(nearest > 0.8):.3f}",
    ]


def _distinct(words: Sequence[str], n: int) -> float:
    grams = list(zip(*(words[start:] for start in range(n)), strict=False))
    return len(set(grams)) / len(grams)


def _read(path: Path) -> list[list[tuple[str, str]]]:
    """Dialogues as (role, text), of an export with `comments` or of rows with `messages`."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    if "messages" in rows[0]:
        return [[(m["role"], m["content"]) for m in row["messages"]] for row in rows]
    truth = path.parent / "truth" / path.name
    repeats = {
        entry["ticket_id"]
        for entry in map(json.loads, truth.read_text(encoding="utf-8").splitlines())
        if entry["duplicate_of"] or entry["near_duplicate_of"]
    }
    return [
        [
            ("user" if comment["author_id"] == row["requester_id"] else "assistant", comment["body"])
            for comment in row["comments"]
            if comment["public"]
        ]
        for row in rows
        if row["id"] not in repeats
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
