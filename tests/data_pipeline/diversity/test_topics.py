from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from data_pipeline.diversity.config import TopicConfig
from data_pipeline.diversity.topics import Topics, clusters_for, complete_topics, name_clusters

ABOUT = ("Refund of a label, please [NAME_1]", "The parcel: tracking stands still", "Password reset link")
NAMES = ("label-please-refund", "parcel-stand-still", "link-password-reset")


def clouds(rows: int, noise: float = 0.3) -> tuple[NDArray[np.float16], list[int]]:
    draw = np.random.default_rng(0)
    true = draw.integers(len(ABOUT), size=rows)
    vectors = draw.normal(size=(len(ABOUT), 16))[true] + draw.normal(scale=noise, size=(rows, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16), true.tolist()


def complete(
    tagged: Sequence[str | None], vectors: NDArray[np.float16], true: Sequence[int], **settings: object
) -> Topics:
    def texts_of(places: Sequence[int]) -> list[str]:
        return [f"{ABOUT[true[place]]} {place}" for place in places]

    ids = [f"row {place}" for place in range(len(true))]
    return complete_topics(tagged, ids, vectors, texts_of, TopicConfig(**settings))


def test_clusters_are_named_by_their_words():
    vectors, true = clouds(200)
    found = complete([None] * 200, vectors, true, clusters=3)
    assert set(found.found_by) == {"cluster"}
    of_topic = [{name for name, t in zip(found.names, true, strict=True) if t == topic} for topic in range(3)]
    assert of_topic == [{"label-please-refund"}, {"parcel-stand-still"}, {"link-password-reset"}]


def test_tagged_topics_stay_and_spread_to_rows_that_are_like_them():
    vectors, true = clouds(300)
    tagged = [("returns", "shipping", None)[topic] if n % 2 else None for n, topic in enumerate(true)]
    found = complete(tagged, vectors, true, clusters=2)
    for given, name, by, topic in zip(tagged, found.names, found.found_by, true, strict=True):
        if given:
            assert (name, by) == (given, "tag")
        elif topic < 2:
            assert (name, by) == (("returns", "shipping")[topic], "similar")


def test_what_is_unlike_every_tagged_topic_gets_a_cluster():
    vectors, true = clouds(300)
    tagged = [("returns", "shipping", None)[topic] for topic in true]
    found = complete(tagged, vectors, true, min_probability=0.99, clusters=2)
    rest = [place for place, topic in enumerate(true) if topic == 2]
    assert {found.found_by[place] for place in rest} == {"cluster"}
    assert {found.names[place] for place in rest} <= {"link-password-reset", "link-password-reset-2"}


def test_a_few_rows_without_a_tag_have_no_topic():
    vectors, true = clouds(19)
    assert complete([None] * 19, vectors, true).names == [None] * 19


def test_texts_are_asked_for_once_and_few():
    vectors, true = clouds(1000)
    asked: list[int] = []

    def texts_of(places: Sequence[int]) -> list[str]:
        asked.append(len(places))
        return [ABOUT[true[place]] for place in places]

    complete_topics([None] * 1000, [str(n) for n in range(1000)], vectors, texts_of, TopicConfig(clusters=3))
    assert asked == [150]


def test_the_order_of_rows_does_not_matter():
    vectors, true = clouds(400, noise=0.8)
    tagged = ["returns" if topic == 0 and n % 3 else None for n, topic in enumerate(true)]
    ids = [str(n) for n in range(400)]
    config = TopicConfig(fit_rows=100)
    texts = [f"{ABOUT[topic]}" for topic in true]
    found = complete_topics(tagged, ids, vectors, lambda places: [texts[n] for n in places], config)
    mixed = np.random.default_rng(1).permutation(400).tolist()
    again = complete_topics(
        [tagged[n] for n in mixed],
        [ids[n] for n in mixed],
        vectors[mixed],
        lambda places: [texts[mixed[n]] for n in places],
        config,
    )
    assert again.names == [found.names[n] for n in mixed]


@pytest.mark.parametrize(("rows", "clusters"), [(20, 2), (800, 10), (6000, 27), (10**6, 64)])
def test_the_number_of_clusters_grows_with_the_rows(rows, clusters):
    assert clusters_for(rows) == clusters


def test_names_are_words_that_several_texts_have_and_no_name_is_taken_twice():
    rare = ["Refund for Ms Quillfeather"] + ["Refund now"] * 9
    assert name_clusters([rare, ["返品したい"] * 3, ["12 34"] * 3], {"refund"}) == [
        "now-refund",
        "した-たい-品し",
        "cluster",
    ]
    assert name_clusters([["refund"] * 3, ["refund"] * 3], set()) == ["refund", "refund-2"]
