"""Build a chat dataset from support tickets: clean, without repetitions, split by customer.

    python -m data_pipeline.build configs/quickstart/data.yaml

Writes train.jsonl, val.jsonl, test.jsonl, <holdout>.jsonl and manifest.json, and what was left out, with the
reason for every row, to rejected.jsonl.
"""

import time
from collections import Counter
from pathlib import Path
from typing import Any

from common import console
from common.artifacts import Recipe, is_up_to_date, writing
from common.command import Options, run
from common.config import dump
from common.errors import UserError
from common.work import finish, working
from data_pipeline.config import SPLITS, BuildConfig
from data_pipeline.inputs import InputFile, input_files, shards
from data_pipeline.shard_files import concatenate, parts, sum_counts

_CODE = ("common/chat", "data_pipeline/*.py", "data_pipeline/sources", "data_pipeline/steps")


def build(config: BuildConfig, options: Options) -> None:
    """Build the dataset `config.output`, unless it is up to date. Raises UserError for too many defects."""
    files = input_files(config)
    if options.dry_run:
        _describe(config, files)
        return
    recipe = _recipe(config, files)
    if is_up_to_date(config.output, recipe) and not options.force:
        console.say(f"{config.output} is up to date")
        return
    started = time.monotonic()
    with working(config.output, recipe, fresh=options.force) as work:
        recipe.counts.update(_run_stages(config, files, work))
        with writing(config.output, recipe) as folder:
            _gather(config, work, folder, recipe.counts)
        finish(work)
    _rejected_beside(config.output).unlink(missing_ok=True)
    _report(config.output, recipe.counts, time.monotonic() - started)


def _recipe(config: BuildConfig, files: list[InputFile]) -> Recipe:
    inputs = {f"{index}/{file.source}/{file.name}": file.path for index, file in enumerate(files)}
    return Recipe.of("dataset", config, inputs=inputs, code=_CODE)


def _describe(config: BuildConfig, files: list[InputFile]) -> None:
    console.say(dump(config))
    console.choice("workers", config.workers, f"{len(shards(files))} tasks for {len(files)} files")
    rows = [(file.path, file.type, file.holdout or "", f"{file.path.stat().st_size:,}") for file in files]
    console.table("would read", ("file", "type", "holdout", "bytes"), rows)


def _run_stages(config: BuildConfig, files: list[InputFile], work: Path) -> dict[str, Any]:
    """Do what an earlier run left undone in `work`, and return the manifest's counts."""
    from data_pipeline import pipeline
    from data_pipeline.engine import run_stage

    shard_list = shards(files)
    run_stage("clean", pipeline.clean(config, shard_list, work), len(shard_list), config.workers, work)
    read, defects = sum_counts(work / "read"), sum_counts(work / "defects")
    _check_defects(config, work, read["rows_read"], defects)
    run_stage("plan", pipeline.plan(config, len(shard_list), work), 1, 1, work)
    run_stage("split", pipeline.split(work), len(shard_list), config.workers, work)
    kept = sum_counts(work / "splits")
    names = (*SPLITS, *config.holdouts)
    return {
        "rows_read": read["rows_read"],
        "rows": {name: kept[f"rows/{name}"] for name in names},
        "assistant_turns": {name: kept[f"assistant_turns/{name}"] for name in names},
        "rejected": dict((defects + sum_counts(work / "repeated")).most_common()),
        "files_cut_short": read["files_cut_short"],
        "notes_removed": kept["notes_removed"],
        "turns_cut": kept["turns_cut"],
        "moved_to_test": sum_counts(work / "plan")["moved_to_test"],
    }


def _check_defects(config: BuildConfig, work: Path, rows: int, defects: Counter[str]) -> None:
    bad = defects.total()
    if bad <= config.max_rejected_share * rows and bad < rows:
        return
    if rows == 0:
        raise UserError("the sources hold no rows", "look at them by --dry-run")
    kept_at = _rejected_beside(config.output)
    concatenate(parts(work / "defects"), kept_at)
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in defects.most_common(5))
    raise UserError(
        f"{bad:,} of {rows:,} rows ({bad / rows:.1%}) have a defect: {reasons}",
        f"look at them in {kept_at}, and mend the source or its type; or raise max_rejected_share, which is "
        f"{config.max_rejected_share:g}",
    )


def _rejected_beside(output: Path) -> Path:
    return output.with_name(f"{output.name}.rejected.jsonl")


def _gather(config: BuildConfig, work: Path, folder: Path, counts: dict[str, Any]) -> None:
    """Join the tasks' files in input order, and make sure that every row that was read is in one of them."""
    rows = {
        name: concatenate(parts(work / "splits" / name), folder / f"{name}.jsonl")
        for name in (*SPLITS, *config.holdouts)
    }
    rejected = concatenate(parts(work / "defects") + parts(work / "repeated"), folder / "rejected.jsonl")
    if (rows, rejected) != (counts["rows"], sum(counts["rejected"].values())):
        raise RuntimeError(f"wrote {rows} and rejected {rejected}, but counted otherwise: {counts}")
    if rejected + sum(rows.values()) != counts["rows_read"]:
        raise RuntimeError(f"rows were lost: read {counts['rows_read']}, wrote {rows}, rejected {rejected}")
    if not rows["train"]:
        fix = f"all rows were rejected ({rejected:,}), held out, or in groups that went to val and test"
        raise UserError("no row is left for train.jsonl", fix)


def _report(output: Path, counts: dict[str, Any], seconds: float) -> None:
    turns = counts["assistant_turns"]
    console.table(
        str(output),
        ("", "rows", "assistant turns"),
        [
            ("read", f"{counts['rows_read']:,}", ""),
            *((name, f"{rows:,}", f"{turns[name]:,}") for name, rows in counts["rows"].items()),
            *((f"rejected: {reason}", f"{rows:,}", "") for reason, rows in counts["rejected"].items()),
        ],
    )
    cleaned = {key: counts[key] for key in ("notes_removed", "turns_cut", "moved_to_test")}
    console.run_log("BUILD", rows=counts["rows_read"], **cleaned, seconds=round(seconds, 1))
    if counts["files_cut_short"]:
        what = "could not be read to the end: see 'the rest of the file' in rejected.jsonl"
        console.warn(f"{counts['files_cut_short']} of the files {what}")
    for name in SPLITS:
        if not counts["rows"][name]:
            console.warn(f"{name}.jsonl is empty: so few groups of rows, or a share of 0")


if __name__ == "__main__":
    run(build, BuildConfig, __doc__)
