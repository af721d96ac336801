"""What pairs must be like: sides that differ, no repetitions, nothing of what a model is tested on."""

from collections.abc import Iterator, Sequence

import numpy as np

from alignment.pairs.formats import Pair
from data_pipeline.level1.candidates import bands
from data_pipeline.level1.compared import squeeze
from data_pipeline.level1.config import NearDuplicates
from data_pipeline.level1.signatures import signatures
from data_pipeline.level1.similarity import Text, nearly_same

Reason = str


def equal_sides(pair: Pair) -> Reason | None:
    """`equal_sides` where the replies differ in nothing but case, punctuation, white space or placeholders.

    A single word or number is a difference, and may be the whole one: "within 14 days", "within 40 days".
    """
    return "equal_sides" if squeeze(pair.chosen) == squeeze(pair.rejected) else None


class Repetitions:
    """Finds pairs that repeat or contradict an earlier one, whatever their case and punctuation."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, str]] = set()

    def reason(self, pair: Pair) -> Reason | None:
        """`repeated`; or `contradicts_earlier`, where the same replies were preferred the other way."""
        prompt = prompt_key(pair)
        chosen, rejected = squeeze(pair.chosen), squeeze(pair.rejected)
        if (prompt, chosen, rejected) in self._seen:
            return "repeated"
        if (prompt, rejected, chosen) in self._seen:
            return "contradicts_earlier"
        self._seen.add((prompt, chosen, rejected))
        return None


def prompt_key(pair: Pair) -> str:
    """The same for prompts that differ in case, punctuation and system message only."""
    turns = (message for message in pair.prompt if message["role"] != "system")
    return "\n".join(f"{message['role']}: {squeeze(message['content'])}" for message in turns)


def near(texts: Sequence[str], others: Sequence[str], config: NearDuplicates) -> set[int]:
    """Numbers of the `texts` that are nearly the same as one of the `others`; both `squeeze`d.

    By locality-sensitive hashing, as level 1 finds near-duplicates: a few in a thousand may be missed.
    """
    both = [*others, *texts]
    known = set(others)
    found = {number for number, text in enumerate(texts) if text in known}
    if not texts or not others:
        return found
    parts = [Text(text) for text in both]
    shingles = np.array([len(part.shingles) for part in parts], np.int64)
    for left, right in _candidates(both, shingles, config):
        a, b = sorted((left, right))
        if a < len(others) <= b and b - len(others) not in found and nearly_same(parts[a], parts[b], config):
            found.add(b - len(others))
    return found


def _candidates(
    texts: Sequence[str], shingles: "np.ndarray[tuple[int], np.dtype[np.int64]]", config: NearDuplicates
) -> Iterator[tuple[int, int]]:
    rows = np.arange(len(texts), dtype=np.int64)
    for buckets in bands(signatures(texts), shingles, rows, config.similarity):
        for left, right in buckets.rounds():
            yield from zip(left.tolist(), right.tolist(), strict=True)
