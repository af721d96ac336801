"""What is planted in the sample company, counted in its truth, beside what its config asks for.

python -m benchmarks.sample_planted out/mangaassist
"""

import json
import sys
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

from common import artifacts
from common.console import table
from data_pipeline.sample.rates import Rates

Truth = dict[str, Any]

_KINDS: dict[str, Callable[[Truth], bool]] = {
    "exact_duplicate": lambda truth: truth["duplicate_of"] is not None,
    "near_duplicate": lambda truth: truth["near_duplicate_of"] is not None,
    "japanese_mixed": lambda truth: truth["mixes_japanese"],
    "other_language": lambda truth: truth["language"] not in ("en", "ja-en"),
    "multi_intent": lambda truth: len(truth["intents"]) > 1,
    "bad_answer": lambda truth: truth["bad_answer"] is not None,
    "contradicting_answer": lambda truth: truth["contradiction"] is not None,
    "internal_note": lambda truth: truth["internal_notes"] > 0,
    "label_noise": lambda truth: "intent" in truth["noisy_labels"],
    "low_quality": lambda truth: truth["low_quality"] is not None,
}
_IN = {
    "tickets": [*_KINDS][:8],
    "messages/train": [*[*_KINDS][:3], "multi_intent", "label_noise"],
    "synthetic": ["low_quality"],
}


def main(folder: Path) -> None:
    """Print one table: kind by kind, and how many standard deviations the count is off."""
    config = artifacts.read_manifest(folder).config
    rates = Rates.model_validate(config["rates"])
    rows = []
    for name, kinds in _IN.items():
        lines = (folder / "truth" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        truths = [json.loads(line) for line in lines]
        for kind in kinds:
            rate, count = getattr(rates, kind), sum(map(_KINDS[kind], truths))
            expected = rate * len(truths)
            off = (count - expected) / sqrt(expected * (1 - rate))
            share = f"{count / len(truths):.2%}"
            rows.append((f"{name}: {kind}", f"{rate:.1%}", f"{expected:.0f}", count, share, f"{off:+.1f}"))
    table("planted", ("", "config", "expected", "there", "share", "deviations"), rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
