"""From the tasks' parts to the dataset: joined in input order, counted, checked that no row was lost."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import console
from common.artifacts import Recipe
from common.errors import UserError
from data_pipeline.config import SPLITS, BuildConfig
from data_pipeline.shard_files import concatenate, parts, read_json_lines, sum_counts

_EXAMPLES = 3
_EXAMPLE_CHARACTERS = 1000
if TYPE_CHECKING:
    from data_pipeline.audit.model import Example

REJECTED_PARTS = ("defects", "unfit", "left_out")


def raw_defects_beside(output: Path) -> Path:
    """Where rows with a defect are kept as they came. They are not scrubbed, so not in the dataset."""
    return output.with_name(f"{output.name}.defects.jsonl")


def check_defects(config: BuildConfig, work: Path) -> None:
    """Raise UserError when more rows have a defect than the config allows, or when there are no others."""
    rows, defects = sum_counts(work / "read")["rows_read"], sum_counts(work / "defects")
    _keep_raw_defects(config.output, work)
    bad = defects.total()
    if bad <= config.max_rejected_share * rows and bad < rows:
        return
    if rows == 0:
        raise UserError("the sources hold no rows", "look at them by --dry-run")
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in defects.most_common(5))
    raise UserError(
        f"{bad:,} of {rows:,} rows ({bad / rows:.1%}) have a defect: {reasons}",
        f"look at them in {raw_defects_beside(config.output)}, and mend the source or its type; or raise "
        f"max_rejected_share, which is {config.max_rejected_share:g}",
    )


def _keep_raw_defects(output: Path, work: Path) -> None:
    """What can't be scrubbed is for the owner of the export alone."""
    kept_at = raw_defects_beside(output)
    kept_at.unlink(missing_ok=True)
    if files := parts(work / "defects_raw"):
        kept_at.parent.mkdir(parents=True, exist_ok=True)
        unfinished = work / kept_at.name  # which nobody else can enter
        concatenate(files, unfinished)
        os.chmod(unfinished, 0o600)
        os.replace(unfinished, kept_at)


def counts_of(config: BuildConfig, work: Path) -> dict[str, Any]:
    """The manifest's counts."""
    read, kept = sum_counts(work / "read"), sum_counts(work / "splits")
    plan: dict[str, Any] = next(read_json_lines(work / "plan" / "report.jsonl"))
    names = (*SPLITS, *config.holdouts)
    return {
        "rows_read": read["rows_read"],
        "rows": {name: kept[f"rows/{name}"] for name in names},
        "assistant_turns": {name: kept[f"assistant_turns/{name}"] for name in names},
        "rejected": _rejected(work, plan["rejected"]),
        "files_cut_short": read["files_cut_short"],
        "notes_removed": kept["notes_removed"],
        "turns_cut": kept["turns_cut"],
        "unjudged": dict(sum_counts(work / "unjudged").most_common()),
        **plan["split"],
    }


def _rejected(work: Path, planned: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Rows left out, by level and reason."""
    levels: dict[str, Counter[str]] = {"defect": sum_counts(work / "defects")}
    levels["level1"] = sum_counts(work / "unfit") + Counter(planned.get("level1", {}))
    levels |= {level: Counter(reasons) for level, reasons in planned.items() if level != "level1"}
    return {level: dict(reasons.most_common()) for level, reasons in levels.items() if reasons}


def gather(config: BuildConfig, work: Path, folder: Path, recipe: Recipe) -> None:
    """Write the dataset to `folder`, and make sure that every row that was read is in one of its files."""
    counts = recipe.counts
    rows = {
        name: concatenate(parts(work / "splits" / name), folder / f"{name}.jsonl")
        for name in (*SPLITS, *config.holdouts)
    }
    files = [part for name in REJECTED_PARTS for part in parts(work / name)]
    rejected = concatenate(files, folder / "rejected.jsonl")
    counted = sum(sum(reasons.values()) for reasons in counts["rejected"].values())
    if (rows, rejected) != (counts["rows"], counted):
        raise RuntimeError(f"wrote {rows} and rejected {rejected}, but counted otherwise: {counts}")
    if rejected + sum(rows.values()) != counts["rows_read"]:
        raise RuntimeError(f"rows were lost: read {counts['rows_read']}, wrote {rows}, rejected {rejected}")
    if not rows["train"]:
        fix = f"all rows were rejected ({rejected:,}), held out, or in groups that went to val and test"
        raise UserError("no row is left for train.jsonl", fix)
    _write_audit(config, work, folder, recipe)


def _write_audit(config: BuildConfig, work: Path, folder: Path, recipe: Recipe) -> None:
    import pandas as pd

    from data_pipeline.audit.audit import audit, read_audit
    from data_pipeline.audit.columns import check_frame
    from data_pipeline.audit.log_lines import log_lines
    from data_pipeline.audit.render import render

    frame = check_frame(pd.read_parquet(work / "plan" / "columns.parquet"))
    frame.to_parquet(folder / "columns.parquet", index=False)
    counts = {
        "rows_read": recipe.counts["rows_read"],
        "defects": recipe.counts["rejected"].get("defect", {}),
    }
    version = recipe.fingerprint[:12]
    previous = read_audit(config.audit.previous or config.output / "audit.json")
    found = audit(
        frame,
        counts,
        config.audit,
        dataset=config.output.name,
        version=version,
        previous=None if previous is None or previous.version == version else previous,
        examples=_examples(folder / "rejected.jsonl"),
    )
    (folder / "audit.json").write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / "audit.html").write_text(render(found), encoding="utf-8")
    for line in log_lines(found):
        console.say(line)


def _examples(rejected: Path) -> "dict[str, list[Example]]":
    """The first rows of each reason. What has messages has been scrubbed."""
    from data_pipeline.audit.model import Example

    found: dict[str, list[Example]] = {}
    with rejected.open("rb") as file:
        for line in file:
            row = json.loads(line)
            examples = found.setdefault(row["reason"], [])
            if "messages" in row and len(examples) < _EXAMPLES:
                examples.append(Example(id=row["id"], text=_shown(row["messages"])))
    return found


def _shown(messages: list[dict[str, str]]) -> str:
    said = (f"{message['role']}: {message['content']}" for message in messages if message["role"] != "system")
    return "\n".join(said)[:_EXAMPLE_CHARACTERS]
