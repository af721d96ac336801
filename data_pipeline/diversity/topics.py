"""Topics of conversations that no tag names: that of the tagged ones they are like, or else a cluster's.

Clusters are k-means on the vectors. They are named by the words that set their texts apart (c-TF-IDF,
Grootendorst 2022), and by no word that only a few of them have: it might be a customer's name.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from common.retrieval.words import terms
from data_pipeline.diversity.config import TopicConfig
from data_pipeline.diversity.models import Floats, Ints, Regression, chunks, hash_order
from data_pipeline.pii.placeholders import ANY_PLACEHOLDER

FoundBy = Literal["tag", "similar", "cluster"]
TextsOf = Callable[[Sequence[int]], Sequence[str]]

_FEWEST_TAGGED = 10  # rows of a topic that others can be compared with
_FEWEST_ROWS = 20  # that are worth clusters
_TEXTS = 50  # of a cluster, nearest to its centre
_WORDS = 3
_LEAST_SHARE = 0.1  # of a cluster's texts have each word of its name
_PLACEHOLDER = re.compile(ANY_PLACEHOLDER)


@dataclass(frozen=True)
class Topics:
    """The topic of each row and where it is from; None for a row that has neither tag nor cluster."""

    names: list[str | None]
    found_by: list[FoundBy | None]


def complete_topics(
    tagged: Sequence[str | None],
    ids: Sequence[str],
    embeddings: Floats,
    texts_of: TextsOf,
    config: TopicConfig,
) -> Topics:
    """Find topics for the rows that have none in `tagged`. The result does not depend on the rows' order.

    Args:
        tagged: topics by `tags.tagged_topic`.
        ids: of the rows, each once.
        embeddings: a vector a row, shape (rows, dim), of any float type; read in parts, so it may be a file.
        texts_of: the texts of the rows at the given places; called once, for at most 50 rows a cluster.
    """
    names = list(tagged)
    found_by: list[FoundBy | None] = [None if name is None else "tag" for name in names]
    order = hash_order(ids, config.seed)
    for place, name in _similar(names, order, embeddings, config):
        names[place], found_by[place] = name, "similar"
    rest = np.array([place for place in order.tolist() if names[place] is None], dtype=np.int64)
    if len(rest) >= _FEWEST_ROWS:
        for place, name in _clustered(rest, embeddings, texts_of, config, {name for name in names if name}):
            names[place], found_by[place] = name, "cluster"
    return Topics(names, found_by)


def _similar(
    names: Sequence[str | None], order: Ints, embeddings: Floats, config: TopicConfig
) -> list[tuple[int, str]]:
    """Places of rows without a topic, and the tagged topic that they probably are about."""
    sizes = Counter(name for name in names if name is not None)
    topics = sorted(name for name, size in sizes.items() if size >= _FEWEST_TAGGED)
    rest = [place for place in order.tolist() if names[place] is None]
    if len(topics) < 2 or not rest:
        return []
    number = {name: index for index, name in enumerate(topics)}
    known = [place for place in order.tolist() if names[place] in number][: config.fit_rows]
    labels = np.array([number[names[place] or ""] for place in known])
    if len(set(labels)) < 2:
        return []
    model = Regression(embeddings[known], labels, len(topics))
    likely = model.probabilities(embeddings[rest])
    return [
        (place, topics[best])
        for place, best, sure in zip(rest, likely.argmax(1), likely.max(1), strict=True)
        if sure >= config.min_probability
    ]


def _clustered(
    rest: Ints, embeddings: Floats, texts_of: TextsOf, config: TopicConfig, taken: set[str]
) -> list[tuple[int, str]]:
    """Places of rows and the names of their clusters."""
    count = clusters_for(len(rest)) if config.clusters == "auto" else min(config.clusters, len(rest))
    clusters, similarity = _k_means(embeddings, rest, count, config)
    examples = [_nearest(rest, similarity, clusters == cluster) for cluster in range(count)]
    wanted = sorted(place for places in examples for place in places)
    text = dict(zip(wanted, texts_of(wanted), strict=True))
    found = name_clusters([[text[place] for place in places] for places in examples], taken)
    return [(place, found[cluster]) for place, cluster in zip(rest.tolist(), clusters.tolist(), strict=True)]


def clusters_for(rows: int) -> int:
    """How many clusters `auto` makes of so many rows."""
    return max(2, min(64, round(math.sqrt(rows / 8))))


def _k_means(
    embeddings: Floats, rest: Ints, count: int, config: TopicConfig
) -> tuple[Ints, NDArray[np.float32]]:
    """The cluster of each row of `rest`, and how near it is to the centre (cosine)."""
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    fitted = np.asarray(embeddings[rest[: config.fit_rows]], dtype=np.float32)
    mean = fitted.mean(axis=0)  # what all tickets share tells none of them apart
    clusters = np.zeros(len(rest), dtype=np.int64)
    similarity = np.zeros(len(rest), dtype=np.float32)
    with threadpool_limits(limits=1):
        model = MiniBatchKMeans(count, random_state=config.seed, n_init=3).fit(_unit(fitted - mean))
        centres = _unit(model.cluster_centers_.astype(np.float32))
        for part, chunk in chunks(embeddings[rest]):
            similar = _unit(chunk - mean) @ centres.T
            clusters[part], similarity[part] = similar.argmax(axis=1), similar.max(axis=1)
    return clusters, similarity


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit


def _nearest(rest: Ints, similarity: NDArray[np.float32], mine: NDArray[np.bool_]) -> list[int]:
    """Places of the rows of a cluster that are nearest to its centre."""
    rows = np.flatnonzero(mine)
    nearest: list[int] = rest[rows[np.argsort(-similarity[rows], kind="stable")[:_TEXTS]]].tolist()
    return nearest


def name_clusters(texts: Sequence[Sequence[str]], taken: set[str]) -> list[str]:
    """A name for each cluster of texts, such as `label-refund-return`, other than those `taken`.

    The words are those with the highest share of the cluster's texts times log(1 + 1 / share of all texts).
    """
    counts = [Counter(word for text in cluster for word in set(_words(text))) for cluster in texts]
    totals = Counter[str]()
    for count in counts:
        totals.update(count)
    everything = max(1, sum(map(len, texts)))
    names: list[str] = []
    for count, cluster in zip(counts, texts, strict=True):
        enough = max(2.0, _LEAST_SHARE * len(cluster))
        weights = {
            word: found * math.log(1 + everything / totals[word])
            for word, found in count.items()
            if found >= enough
        }
        best = sorted(weights, key=lambda word: (-weights[word], word))[:_WORDS]
        names.append(_free("-".join(sorted(best)) or "cluster", taken | set(names)))
    return names


def _words(text: str) -> list[str]:
    return [word for word in terms(_PLACEHOLDER.sub(" ", text)) if not word.isdigit()]


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free
