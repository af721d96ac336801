"""Gather preference pairs, check them, take personal data out, and split them.

    python -m alignment.pairs configs/quickstart/pairs.yaml
    python -m alignment.pairs configs/quickstart/pairs.yaml match_lengths=true --dry-run

Reads files of pairs (docs/alignment.md tells the formats), writes a pairs/ artifact: `train.jsonl`,
`val.jsonl`, a file for each holdout, and `rejected.jsonl` with the reason of every row that was left out.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alignment.pairs.build import Built, check, read_all, split, tested_words
from alignment.pairs.config import PairsConfig
from alignment.pairs.length import LengthBias, length_bias
from alignment.pairs.scrubbing import scrub
from common.artifacts import Recipe, check_replaceable, is_up_to_date, writing
from common.command import Options, run
from common.console import run_log, say, table, warn
from common.errors import UserError

_CODE = ("alignment/pairs", "common/chat", "data_pipeline/level1", "data_pipeline/pii")


def build(config: PairsConfig, options: Options) -> None:
    """Read, check, scrub, split, write."""
    check_replaceable(config.output)
    recipe = _recipe(config)
    if not (options.force or options.dry_run) and is_up_to_date(config.output, recipe):
        say(f"{config.output} is up to date")
        return
    built = read_all(config)
    if config.pii is not None:
        scrub([pair for pairs in built.parts.values() for pair in pairs], config.pii)
    check(built, config, tested_words(config.dataset))
    if not built.parts["train"]:
        raise UserError(f"no pair is left to train on: {dict(built.reasons)}", "look at the sources")
    biases = {name: length_bias(pairs) for name, pairs in built.parts.items() if pairs}
    split(built, config)
    _show(built, biases)
    if options.dry_run:
        return
    if built.defective > config.max_rejected_share:
        raise UserError(
            f"{built.defective:.0%} of the rows have a defect, more than max_rejected_share="
            f"{config.max_rejected_share:g}: {dict(built.reasons)}",
            "look at them with --dry-run, mend the sources, or raise max_rejected_share",
        )
    recipe.counts = _counts(built, biases)
    with writing(config.output, recipe) as folder:
        for name, pairs in built.parts.items():
            _write(folder / f"{name}.jsonl", (pair.row() for pair in pairs))
        _write(folder / "rejected.jsonl", (one.line() for one in built.refused))
    say(f"wrote {config.output}")


def _recipe(config: PairsConfig) -> Recipe:
    files = {f"sources.{number}": file.path for number, file in enumerate(config.sources)}
    files |= {f"holdouts.{name}": file.path for name, file in config.holdouts.items()}
    if config.dataset is not None:
        files["dataset"] = config.dataset
    return Recipe.of("pairs", config, inputs=files, code=_CODE)


def _counts(built: Built, biases: Mapping[str, LengthBias]) -> dict[str, Any]:
    return {
        "read": built.read,
        "pairs": {name: len(pairs) for name, pairs in built.parts.items()},
        "refused": dict(sorted(built.reasons.items())),
        "length_bias": {name: asdict(bias) for name, bias in biases.items()},
    }


def _show(built: Built, biases: Mapping[str, LengthBias]) -> None:
    rows = [("read", f"{built.read:,}", "")]
    rows += [
        (f"left out: {reason}", f"{count:,}", f"{count / built.read:.1%}")
        for reason, count in built.reasons.most_common()
    ]
    rows += [
        (name, f"{len(pairs):,}", f"{len(pairs) / built.read:.1%}") for name, pairs in built.parts.items()
    ]
    table("preference pairs", ("", "pairs", "share"), rows)
    for name, bias in biases.items():
        low, high = bias.interval
        run_log(
            "LENGTH",
            pairs=name,
            longer_chosen=f"{bias.longer:.3f}",
            interval=f"{low:.3f}..{high:.3f}",
            length_rule=f"{bias.rule:.3f}",
            median_chosen=bias.median_chosen,
            median_rejected=bias.median_rejected,
        )
    if biases["train"].is_biased:
        kind = "longer" if biases["train"].longer > 0.5 else "shorter"
        warn(
            f"'prefer the {kind}' is right in {biases['train'].rule:.0%} of the pairs, and a model may learn "
            "just that: match_lengths=true leaves pairs out until length tells nothing"
        )


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    if path.name == "rejected.jsonl":
        path.chmod(0o600)  # what lies in it may not have been scrubbed


if __name__ == "__main__":
    run(build, PairsConfig, __doc__)
