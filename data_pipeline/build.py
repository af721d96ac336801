"""Build a chat dataset from support tickets: scrubbed of personal data, filtered in three levels, split.

    python -m data_pipeline.build configs/quickstart/data.yaml

Writes train.jsonl, val.jsonl, test.jsonl, <holdout>.jsonl and manifest.json; to rejected.jsonl what was left
out, with the reason for every row; to columns.parquet what is known of each; and audit.html.
"""

import time
from pathlib import Path
from typing import Any

from common import console
from common.artifacts import Recipe, is_up_to_date, writing
from common.command import Options, run
from common.config import dump
from common.work import finish, working
from data_pipeline.config import SPLITS, BuildConfig
from data_pipeline.inputs import InputFile, input_files, input_hashes
from data_pipeline.results import check_defects, counts_of, gather, raw_defects_beside
from data_pipeline.shards import shards

_CODE = (
    "common/chat",
    "common/encoder",
    "common/generation",
    "common/judge",
    "common/retrieval",
    "common/seeds.py",
    "common/strict_json.py",
    "data_pipeline/*.py",
    "data_pipeline/audit",
    "data_pipeline/diversity",
    "data_pipeline/level1",
    "data_pipeline/pii",
    "data_pipeline/quality",
    "data_pipeline/sources",
    "data_pipeline/steps",
)


def build(config: BuildConfig, options: Options) -> None:
    """Build the dataset `config.output`, unless it is up to date. Raises UserError for too many defects."""
    files = input_files(config)
    _check_knowledge_base(config)
    if options.dry_run:
        _describe(config, files)
        return
    recipe = _recipe(config, files)
    if is_up_to_date(config.output, recipe) and not options.force:
        console.say(f"{config.output} is up to date")
        return
    _say_choices(config)
    started = time.monotonic()
    with working(config.output, recipe, fresh=options.force) as work:
        _run_stages(config, files, work)
        recipe.counts.update(counts_of(config, work))
        with writing(config.output, recipe) as folder:
            gather(config, work, folder, recipe)
        finish(work)
    _report(config.output, recipe.counts, time.monotonic() - started)


def _check_knowledge_base(config: BuildConfig) -> None:
    """Raise UserError for articles that can't be read now, and not after an hour."""
    if config.knowledge_base is not None and config.level2 is not None:
        from common.retrieval import read_passages

        read_passages(config.knowledge_base)


def _recipe(config: BuildConfig, files: list[InputFile]) -> Recipe:
    inputs = {"knowledge_base": config.knowledge_base, "encoder": config.encoder}
    inputs["mentions_table"] = config.mentions.table if config.mentions else None
    inputs["detector"] = config.pii.detector if config.pii and isinstance(config.pii.detector, Path) else None
    if config.audit.tokenizer and Path(config.audit.tokenizer).is_dir():
        inputs["tokenizer"] = Path(config.audit.tokenizer)
    paths = {name: path for name, path in inputs.items() if path is not None}
    # The audit compares with the version before, so it is no function of the recipe.
    recipe = Recipe.of("dataset", config, inputs=paths, code=_CODE, volatile=("audit.html", "audit.json"))
    recipe.inputs.update(input_hashes(files))
    return recipe


def _say_choices(config: BuildConfig) -> None:
    """What was chosen automatically, and what a config leaves out."""
    if config.pii is None:
        console.warn("pii is null: personal data stays in the dataset")
    if config.level2 is not None:
        if config.judge is None:
            console.choice("judge", "not judged", "no endpoint is configured")
        if config.knowledge_base is None:
            console.choice("factuality", "not measured", "knowledge_base is not configured")
    if config.encoder is None and (config.level2 or config.level3):
        console.choice("encoder", "none", "so no coherence, no topics and no semantic duplicates by meaning")


def _describe(config: BuildConfig, files: list[InputFile]) -> None:
    console.say(dump(config))
    workers = config.executor.workers or "as many as there is room for, at most one a task"
    console.choice("executor", config.executor.type, f"workers: {workers}")
    console.choice("tasks", len(shards(files)), f"a stage, for {len(files)} files")
    _say_choices(config)
    rows = [(file.path, file.type, file.holdout or "", f"{file.bytes:,}") for file in files]
    console.table("would read", ("file", "type", "holdout", "bytes"), rows)


def _run_stages(config: BuildConfig, files: list[InputFile], work: Path) -> None:
    """Do what an earlier run left undone in `work`."""
    from data_pipeline import pipeline
    from data_pipeline.engine import run_stage

    parts = shards(files)
    tasks, executor = len(parts), config.executor
    run_stage("clean", pipeline.clean(config, parts, work), tasks, executor, work)
    check_defects(config, work)
    run_stage("level1", pipeline.level1(config, tasks, work), 1, executor, work)
    run_stage("score", pipeline.score(config, work), tasks, executor, work)
    run_stage("select", pipeline.select(config, tasks, work), 1, executor, work)
    run_stage("write", pipeline.write(work), tasks, executor, work)


def _report(output: Path, counts: dict[str, Any], seconds: float) -> None:
    turns = counts["assistant_turns"]
    read = counts["rows_read"]
    console.table(
        str(output),
        ("", "rows", "share", "assistant turns"),
        [
            ("read", f"{read:,}", "", ""),
            *(
                (f"rejected, {level}: {reason}", f"{rows:,}", f"{rows / read:.1%}", "")
                for level, reasons in counts["rejected"].items()
                for reason, rows in reasons.items()
            ),
            *(
                (name, f"{rows:,}", f"{rows / read:.1%}", f"{turns[name]:,}")
                for name, rows in counts["rows"].items()
            ),
        ],
    )
    done = {key: counts[key] for key in ("notes_removed", "turns_cut", "moved_to_test")}
    console.run_log("BUILD", rows=read, **done, seconds=round(seconds, 1))
    console.say(f"open {output / 'audit.html'}")
    if unjudged := counts["unjudged"]:
        reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in unjudged.items())
        what = f"{sum(unjudged.values()):,} rows were scored without the judge ({reasons})"
        console.warn(f"{what}: with --force these are asked about again, and no other is paid for")
    if counts["files_cut_short"]:
        what = "could not be read to the end: see 'the rest of the file' in rejected.jsonl"
        console.warn(f"{counts['files_cut_short']} of the files {what}")
    if counts["rejected"].get("defect"):
        console.warn(f"{raw_defects_beside(output)} holds the rows with a defect as they came: not scrubbed")
    for name in SPLITS:
        if not counts["rows"][name]:
            console.warn(f"{name}.jsonl is empty: so few groups of rows, or a share of 0")


if __name__ == "__main__":
    run(build, BuildConfig, __doc__)
