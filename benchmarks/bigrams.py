"""The perplexity that a trivial model reaches: bigrams of the training replies' tokens.

    python -m benchmarks.bigrams configs/quickstart/sft.yaml test unseen_situations

The tokens, the chat template and the trained positions are those of the training config. Each bigram is
interpolated with the frequency of its second token (weight 5 / (5 + count of the first)), which has half a
count added. A tuned model that does not beat this on a test set has shown phrases there, not understanding.
"""

import math
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from common.chat import FAMILIES, load_tokenizer
from common.config import load
from common.console import table
from sft.config import TrainConfig
from sft.data.examples import IGNORE, load_examples

_INTERPOLATION = 5.0
_ADDED = 0.5


def main(config_path: str, *splits: str) -> None:
    """Count the training split, score the others, print a table."""
    config = load(TrainConfig, Path(config_path))
    tokenizer = load_tokenizer(config.model, FAMILIES[config.chat_template])

    def pairs(split: str) -> Iterator[tuple[int, int]]:
        path = config.dataset / f"{split}.jsonl"
        examples = load_examples(path, tokenizer, FAMILIES[config.chat_template], config.max_length)
        for input_ids, labels in zip(examples.input_ids, examples.labels, strict=True):
            for before, label in zip(input_ids, labels[1:], strict=False):
                if label != IGNORE:
                    yield before, label

    bigrams = Counter(pairs("train"))
    firsts: Counter[int] = Counter()
    seconds: Counter[int] = Counter()
    for (before, token), count in bigrams.items():
        firsts[before] += count
        seconds[token] += count
    everything = seconds.total() + _ADDED * len(tokenizer)

    def nll(before: int, token: int) -> float:
        frequency = (seconds[token] + _ADDED) / everything
        weight = _INTERPOLATION / (_INTERPOLATION + firsts[before])
        bigram = bigrams[before, token] / firsts[before] if firsts[before] else 0.0
        return -math.log(weight * frequency + (1 - weight) * bigram)

    rows = []
    for split in splits:
        values = [nll(before, token) for before, token in pairs(split)]
        rows.append((split, f"{len(values):,}", f"{math.exp(sum(values) / len(values)):.1f}"))
    table("bigrams of the training replies", ("", "tokens", "perplexity"), rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
