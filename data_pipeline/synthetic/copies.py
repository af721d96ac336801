"""Check 5: neither a near-copy of another conversation nor of the passages."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from common.chat import Message
from common.retrieval import Passage
from data_pipeline.level1.candidates import bands
from data_pipeline.level1.compared import compared, squeeze, stretched
from data_pipeline.level1.length import weighted_length
from data_pipeline.level1.signatures import signatures
from data_pipeline.level1.similarity import Text, jaccard

_SENTENCE = 150
"""Characters up to which an answer is no more than a sentence or two."""


def near_copies(
    existing: Sequence[Sequence[Message]], written: Sequence[Sequence[Message]], most: float
) -> list[list[int]]:
    """For each conversation of `written` the places of those before it that it is like, `existing` first.

    Like are those whose sets of character 5-grams have a Jaccard similarity above `most`. Pairs are found by
    MinHash, which at .6 misses one in a hundred, and compared exactly.
    """
    texts = [Text(" ".join(compared(messages))) for messages in (*existing, *written)]
    matrix = signatures([stretched(text.text) for text in texts])
    sizes = np.array([len(text.shingles) for text in texts], dtype=np.int64)
    like: defaultdict[int, set[int]] = defaultdict(set)
    tried: set[tuple[int, int]] = set()
    for buckets in bands(matrix, sizes, np.arange(len(texts)), most):
        for left, right in buckets.rounds():
            new = np.maximum(left, right) >= len(existing)
            for one, other in zip(left[new].tolist(), right[new].tolist(), strict=True):
                pair = (min(one, other), max(one, other))
                if pair not in tried and jaccard(texts[one].shingles, texts[other].shingles) > most:
                    like[pair[1]].add(pair[0])
                tried.add(pair)
    return [sorted(like[place]) for place in range(len(existing), len(texts))]


def copies_passages(messages: Sequence[Message], given: Sequence[Passage], most: float) -> bool:
    """Whether more than `most` of the character 5-grams of long answers stand in the passages.

    An answer is much shorter than a passage, so that their Jaccard similarity is low even for a quotation. A
    sentence that is quoted is a good answer; a paragraph teaches to recite.
    """
    said = compared(messages).assistant
    return weighted_length(said) > _SENTENCE and copied_share(said, given) > most


def copied_share(said: str, given: Sequence[Passage]) -> float:
    """Share of the character 5-grams of `said` (squeezed) that stand in the passages, 0 to 1."""
    own = Text(said).shingles
    passages = {shingle for passage in given for shingle in Text(squeeze(passage.text)).shingles}
    return len(own & passages) / len(own)
