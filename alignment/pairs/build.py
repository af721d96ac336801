"""Pairs of all files, checked against each other, and split: pure functions and counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alignment.pairs.checks import Reason, Repetitions, equal_sides, near, prompt_key
from alignment.pairs.config import PairsConfig
from alignment.pairs.formats import Pair
from alignment.pairs.length import left_out
from alignment.pairs.reading import Refused, read_file
from common.seeds import unit_hash
from data_pipeline.level1.compared import squeeze
from sft.data.examples import read_rows, split_files

CHOICES = ("repeated", "near_test", "near_holdout", "match_lengths")
"""Reasons that are no defect of a row: it stands elsewhere, or is one too many."""

_GREETING = 40
"""Characters. Customers who write less have not said yet what they want."""


@dataclass
class Built:
    """Pairs by part (`train`, `val`, holdouts by name), and what was refused."""

    parts: dict[str, list[Pair]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    read: int = 0

    @property
    def reasons(self) -> Counter[str]:
        """How many rows each reason has cost."""
        return Counter(one.reason for one in self.refused)

    @property
    def defective(self) -> float:
        """Share of the rows that were refused for a defect."""
        return sum(one.reason not in CHOICES for one in self.refused) / max(self.read, 1)


def read_all(config: PairsConfig) -> Built:
    """Read every file; the sources' pairs are in `train` for now."""
    built = Built(parts={"train": [], **{name: [] for name in config.holdouts}})
    files = [("train", file) for file in config.sources] + list(config.holdouts.items())
    for part, file in files:
        for row in read_file(file):
            built.read += 1
            if isinstance(row, Refused):
                built.refused.append(row)
                continue
            if config.system_prompt and row.prompt[0]["role"] != "system":
                row.prompt.insert(0, {"role": "system", "content": config.system_prompt})
            built.parts[part].append(row)
    return built


def check(built: Built, config: PairsConfig, tested: Sequence[str]) -> None:
    """Refuse, in place, what can't be trained on or would be tested on: `tested` are customers' words.

    Pairs of holdouts may repeat nothing of their own either, but are kept where they are near a test.
    """
    for part, pairs in built.parts.items():
        repetitions = Repetitions()
        _refuse(built, part, [equal_sides(pair) or repetitions.reason(pair) for pair in pairs])
    held_out = [_opening(pair.prompt) for name in config.holdouts for pair in built.parts[name]]
    for reason, others in (("near_holdout", held_out), ("near_test", tested)):
        openings = [_opening(pair.prompt) for pair in built.parts["train"]]
        close = near(openings, others, config.near_duplicates)
        _refuse(built, "train", [reason if number in close else None for number in range(len(openings))])
    if config.match_lengths:
        surplus = left_out(built.parts["train"], config.split_seed)
        reasons = ["match_lengths" if pair.id in surplus else None for pair in built.parts["train"]]
        _refuse(built, "train", reasons)


def _refuse(built: Built, part: str, reasons: Sequence[Reason | None]) -> None:
    """Move the pairs of a part that have a reason to the refused ones."""
    kept = []
    for pair, reason in zip(built.parts[part], reasons, strict=True):
        if reason is None:
            kept.append(pair)
        else:
            built.refused.append(Refused(pair.id, reason, pair.meta["source"], pair.row()))
    built.parts[part] = kept


def split(built: Built, config: PairsConfig) -> None:
    """Divide `train`, in place: pairs of one prompt go to one part, whatever else is in the set."""
    pairs, built.parts["train"] = built.parts["train"], []
    parts: dict[str, list[Pair]] = {"train": [], "val": []}
    for pair in pairs:
        drawn = unit_hash(prompt_key(pair), config.split_seed)
        parts["val" if drawn < config.val_share else "train"].append(pair)
    built.parts = parts | {name: built.parts[name] for name in config.holdouts}


def tested_words(dataset: Path | None) -> list[str]:
    """What customers say in a dataset's test split and holdouts, `squeeze`d."""
    if dataset is None:
        return []
    files = split_files(dataset, without=("train", "val"))
    return [_opening(row["messages"]) for path in files for row in read_rows(path)]


def _opening(messages: Sequence[Mapping[str, Any]]) -> str:
    """What the customer begins with, `squeeze`d: one turn, or more where that is a mere greeting.

    A pair's prompt may be the beginning of a conversation that is tested to its end.
    """
    words = ""
    for message in messages:
        if message["role"] == "user" and len(words) < _GREETING:
            words = f"{words} {squeeze(message['content'])}".strip()
    return words
