"""Near-duplicates in short texts: how many planted ones are found, what else is, and how fast.

    python -m benchmarks.near_duplicates out/mangaassist $SUPPORT_DATA/banking77/test.jsonl.gz ...

Of the texts of 30 to 120 characters in the files, 8,500 are drawn, and 1,500 copies of some with noise are
added: one word in ten, at least one, is replaced by a word of another text, dropped, swapped with its
neighbour or mistyped. A pair is found when both texts are in one cluster; a cluster of three has three pairs.

Precision is the planted pairs' share of those found, and means little where texts are alike by nature. So
there are two draws: texts as they come, with what else was found split by the exact similarity of the pair,
and texts of which no two have a similarity of 0.3 or more, by brute force, so that only copies are right.

The thresholds were tuned on banking77/train and clinc150/train. The peer is datasketch (not among the
project's packages), used as its documentation shows on the same normalised texts, with candidates verified.

In the sample company what is planted among the tickets is looked for, before personal data is replaced.
"""

import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.tickets import clean, rows_of
from common.chat.messages import Message
from common.console import say, table
from data_pipeline.groups import Groups
from data_pipeline.level1.cluster import cluster
from data_pipeline.level1.compared import squeeze
from data_pipeline.level1.config import NearDuplicates
from data_pipeline.level1.records import RecordWriter
from data_pipeline.level1.similarity import Text, jaccard

Pair = tuple[int, int]
Find = Callable[[Sequence[str]], set[Pair]]

PEER = "datasketch"
ORIGINALS, COPIES = 8_500, 1_500
_LENGTHS = range(30, 121)
_UNLIKE = 0.3
_SEED = 20


def main(sample: str, *files: str) -> None:
    """Print a table for the sample company and one for each draw."""
    _compare_sample(Path(sample))
    texts = sorted({text for file in files for text in _texts(Path(file)) if len(text) in _LENGTHS})
    random.Random(_SEED).shuffle(texts)
    unlike = _unlike(texts)
    finders: dict[str, Find] = {"same words": _same_words, "ours": _ours}
    if find_spec(PEER):
        finders = {PEER: _datasketch, **finders}
    else:
        say("no datasketch: the peer is left out; pip install datasketch")
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_ours, [texts[:1000], texts[:1000]]))  # starts both processes
        finders["ours, 2 processes"] = partial(_ours, pool=pool)
        for name, originals in (("as they come", texts), ("unlike originals", unlike)):
            _compare(name, originals[:ORIGINALS], finders)


def _compare(name: str, originals: list[str], finders: dict[str, Find]) -> None:
    texts, planted = plant(originals, min(COPIES, len(originals) // 3), random.Random(_SEED))
    rows, seconds = [], {}
    for finder, find in finders.items():
        started = time.perf_counter()
        found = find(texts)
        seconds[finder] = time.perf_counter() - started
        right, other = len(found & planted), found - planted
        similarities = [_similarity(texts[a], texts[b]) for a, b in other]
        alike = sum(similarity >= 0.5 for similarity in similarities)
        figures = (f"{right / len(planted):.3f}", f"{right / max(len(found), 1):.3f}")
        speed = f"{len(texts) / seconds[finder]:,.0f}"
        ratio = f"{seconds[PEER] / seconds[finder]:.1f}" if PEER in seconds else "-"
        rows.append((finder, *figures, f"{alike:,}", f"{len(other) - alike:,}", speed, ratio))
    characters = sum(map(len, texts)) / len(texts)
    title = f"{name}: {len(texts):,} texts of {characters:.0f} characters, {len(planted):,} planted"
    columns = ("", "recall", "precision", "others, J >= .5", "others, J < .5", "texts/s", "x peer")
    table(title, columns, rows)


def plant(originals: list[str], count: int, rng: random.Random) -> tuple[list[str], set[Pair]]:
    """The texts with `count` noisy copies behind them, and the pairs of places of a text and its copy."""
    words = [word for text in originals for word in text.split()]
    texts, planted = list(originals), set()
    for place in rng.sample(range(len(originals)), count):
        copy = originals[place]
        while squeeze(copy) == squeeze(originals[place]):
            copy = _noisy(originals[place].split(), words, rng)
        planted.add((place, len(texts)))
        texts.append(copy)
    return texts, planted


def _noisy(text: list[str], words: list[str], rng: random.Random) -> str:
    places = rng.sample(range(len(text)), max(1, round(len(text) / 10)))
    for place in sorted(places, reverse=True):
        word, kind = text[place], rng.choice(("replace", "drop", "swap", "mistype"))
        if kind == "drop":
            del text[place]
        elif kind == "swap" and place + 1 < len(text):
            text[place : place + 2] = text[place + 1], word
        elif kind == "mistype" and len(word) > 2:
            at = rng.randrange(len(word) - 1)
            text[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        else:
            text[place] = rng.choice(words)
    return " ".join(text)


def _same_words(texts: Sequence[str]) -> set[Pair]:
    """The trivial rule: equal but for case and punctuation."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        groups[squeeze(text)].append(index)
    return _pairs(groups.values())


def _ours(texts: Sequence[str], pool: ProcessPoolExecutor | None = None) -> set[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if pool is None:
            _write(work, 0, texts)
        else:
            half = len(texts) // 2
            list(pool.map(_write, (work, work), (0, 1), (texts[:half], texts[half:])))
        shards = 1 if pool is None else 2
        clusters = cluster(work, shards, [0.0] * len(texts), [False] * len(texts), NearDuplicates())
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for index, kept in enumerate(clusters.kept.tolist()):
        if kept >= 0:
            groups[kept].append(index)
    return _pairs(groups.values())


def _write(work: Path, rank: int, texts: Sequence[str]) -> None:
    _write_rows(work, rank, ([{"role": "user", "content": text}] for text in texts))


def _write_rows(work: Path, rank: int, rows: Iterable[list[Message]]) -> None:
    with RecordWriter(work, rank) as records:
        for messages in rows:
            records.add(messages)


def _compare_sample(folder: Path) -> None:
    tickets = [clean(ticket) for ticket in rows_of(folder / "tickets.jsonl")]
    truths = list(rows_of(folder / "truth" / "tickets.jsonl"))
    places = {truth["ticket_id"]: place for place, truth in enumerate(truths)}
    with tempfile.TemporaryDirectory() as work:
        _write_rows(Path(work), 0, tickets)
        clusters = cluster(Path(work), 1, [0.0] * len(tickets), [False] * len(tickets), NearDuplicates())
    same = Counter(json.dumps(messages) for messages in tickets)
    lines, copies = [], set()
    for kind in ("duplicate_of", "near_duplicate_of"):
        pairs = [(places[truth["ticket_id"]], places[truth[kind]]) for truth in truths if truth[kind]]
        found = sum(clusters.kept[copy] == clusters.kept[original] >= 0 for copy, original in pairs)
        trivial = sum(same[json.dumps(tickets[copy])] > 1 for copy, _ in pairs)
        copies |= {copy for copy, _ in pairs}
        lines.append((kind.removesuffix("_of"), len(pairs), found, trivial))
    dropped = {row for row, reason in enumerate(clusters.reasons) if reason}
    lines.append(("nothing planted", "", len(dropped - copies), ""))
    columns = ("", "planted", "found", "found by the same words")
    table(f"{len(tickets):,} tickets of the sample company", columns, lines)


def _datasketch(texts: Sequence[str]) -> set[Pair]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.5, num_perm=128)
    compared = [Text(squeeze(text)) for text in texts]
    groups = Groups()
    for place, text in enumerate(compared):
        signature = MinHash(num_perm=128)
        signature.update_batch([shingle.encode() for shingle in text.shingles])
        for other in index.query(signature):
            if jaccard(text.shingles, compared[other].shingles) >= 0.5:
                groups.join([f"{other:08}", f"{place:08}"])
        index.insert(place, signature)
    named: defaultdict[str, list[int]] = defaultdict(list)
    for place in range(len(texts)):
        named[groups.find(f"{place:08}")].append(place)
    return _pairs(named.values())


def _pairs(groups: Iterable[list[int]]) -> set[Pair]:
    return {pair for group in groups for pair in combinations(group, 2)}


def _similarity(a: str, b: str) -> float:
    return jaccard(Text(squeeze(a)).shingles, Text(squeeze(b)).shingles)


def _unlike(texts: list[str]) -> list[str]:
    """The texts without those that resemble an earlier one, by comparing all pairs."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True, dtype=np.float32)
    matrix = vectorizer.fit_transform(map(squeeze, texts))
    sizes = np.asarray(matrix.sum(1)).reshape(-1)
    left_out: set[int] = set()
    for start in range(0, len(texts), 500):
        common = (matrix[start : start + 500] @ matrix.T).tocoo()
        first, second = common.row + start, common.col
        alike = common.data >= _UNLIKE * (sizes[first] + sizes[second] - common.data)
        for a, b in sorted(zip(first[alike].tolist(), second[alike].tolist(), strict=True)):
            if a < b and a not in left_out:
                left_out.add(b)
    return [text for index, text in enumerate(texts) if index not in left_out]


def _texts(path: Path) -> Iterable[str]:
    """Texts of labelled sets, the customer's turns of dialogues."""
    for row in rows_of(path):
        if "messages" in row:
            yield from (turn["content"] for turn in row["messages"] if turn["role"] == "user")
        else:
            yield row["text"] if "text" in row else row["utterance"]


if __name__ == "__main__":
    main(*sys.argv[1:])
