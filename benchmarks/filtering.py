"""Does filtering help? Training on the filtered part of the sample company's tickets, on random parts, and on
one that a trivial rule has chosen: tickets that the customer rated good.

    make bench-filtering

Beside `filtered`, the dataset that was built with all levels, there are `random_<seed>` and `rated_good`, as
many rows of the dataset that was built without levels 2 and 3, and `golden.jsonl`: held-out tickets whose
answers are right and polite by the truth that the sample company comes with, which no stage has read.
"""

import argparse
import json
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from common import console
from common.artifacts import Recipe, read_manifest, writing
from common.provenance import code_hash

SEEDS = (2025, 2026, 2027)
SPOKEN = ("en", "ja", "ja-en")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sample", type=Path, help="the sample company, e.g. out/mangaassist")
    parser.add_argument("filtered", type=Path, help="the dataset of all levels")
    parser.add_argument(
        "unfiltered", type=Path, help="the dataset of the same tickets without levels 2 and 3"
    )
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()

    rows = len(read_lines(arguments.filtered / "train.jsonl"))
    pool = read_lines(arguments.unfiltered / "train.jsonl")
    for seed in SEEDS:
        drawn = random.Random(seed).sample(pool, rows)
        write_dataset(arguments.output / f"random_{seed}", arguments.unfiltered, drawn, seed)
    liked = [row for row in pool if row["meta"]["fields"].get("csat") == "good"]
    drawn = random.Random(SEEDS[0]).sample(liked, rows)
    write_dataset(arguments.output / "rated_good", arguments.unfiltered, drawn, SEEDS[0])
    golden = golden_rows(arguments.sample, arguments.unfiltered, arguments.filtered)
    write_lines(arguments.output / "golden.jsonl", golden)
    console.say(f"{rows} training rows each, of {len(pool)}; {len(golden)} golden conversations")
    faults = faulty(arguments.sample / "truth" / "tickets.jsonl")
    drawn_parts = ("rated_good", *(f"random_{seed}" for seed in SEEDS))
    for folder in (arguments.filtered, *(arguments.output / name for name in drawn_parts)):
        train = read_lines(folder / "train.jsonl")
        share = sum(ticket_id(row) in faults for row in train) / len(train)
        console.say(f"{folder.name:<12} rows with a bad or contradicting answer: {share:.1%}")


def write_dataset(output: Path, origin: Path, rows: list[dict[str, Any]], seed: int) -> None:
    """A dataset with `rows` to train on, and the validation part of `origin`."""
    manifest = read_manifest(origin)
    recipe = Recipe(
        kind="dataset",
        config=manifest.config,
        inputs={"origin": manifest.content_hash},
        code=code_hash(("benchmarks/filtering.py",)),
        seeds={"seed": seed},
    )
    turns = sum(message["role"] == "assistant" for row in rows for message in row["messages"])
    recipe.counts = manifest.counts | {
        "rows": manifest.counts["rows"] | {"train": len(rows)},
        "assistant_turns": manifest.counts["assistant_turns"] | {"train": turns},
    }
    with writing(output, recipe) as folder:
        write_lines(folder / "train.jsonl", rows)
        for name in ("val.jsonl", "test.jsonl"):
            shutil.copy(origin / name, folder / name)


def golden_rows(sample: Path, unfiltered: Path, filtered: Path) -> list[dict[str, Any]]:
    """Held-out conversations without a planted fault, whose customers no training part has seen."""
    bad = faulty(sample / "truth" / "tickets.jsonl") | faulty(sample / "truth" / "unseen_tickets.jsonl")
    trained = {
        row["meta"]["group"]
        for folder in (unfiltered, filtered)
        for row in read_lines(folder / "train.jsonl")
    }
    held_out = read_lines(unfiltered / "unseen_situations.jsonl") + read_lines(unfiltered / "test.jsonl")
    return [row for row in held_out if ticket_id(row) not in bad and row["meta"]["group"] not in trained]


def faulty(truth: Path) -> set[str]:
    """Ids of tickets with a planted fault, or in a language that the bot doesn't speak."""
    return {
        str(row["ticket_id"])
        for row in read_lines(truth)
        if row["bad_answer"] or row["contradiction"] or row["language"] not in SPOKEN
    }


def ticket_id(row: dict[str, Any]) -> str:
    return str(row["id"]).split("/")[-1].split("#")[0]


def read_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    main()
