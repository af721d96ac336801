"""The difference of two datasets on the terminal. Ids, counts and settings; no text of a row."""

from typing import Any

from common import console
from data_pipeline.diff.model import Changed, DatasetDiff, ManifestDiff, Rows

_WIDTH = 60
_HASH = 12


def show(found: DatasetDiff) -> None:
    """Print it."""
    before, after = found.before, found.after
    console.table(
        "datasets",
        ("", before.path, after.path),
        [
            ("rows", f"{before.rows:,}", f"{after.rows:,}"),
            ("content hash", before.content_hash[:_HASH], after.content_hash[:_HASH]),
            ("made at", before.created_at, after.created_at),
            ("git commit", before.git_commit[:_HASH], after.git_commit[:_HASH]),
        ],
    )
    console.say("the content is the same" if found.same_content else "the content differs")
    _show_manifest(found.manifest)
    _show_counts(found.counts)
    _show_rows(found)
    if found.drift:
        console.table(
            "drift of all rows",
            ("", "PSI", "noise", "KL", "verdict"),
            [
                (drift.name, f"{drift.psi:.4f}", f"{drift.noise:.4f}", f"{drift.kl:.4f}", drift.verdict)
                for drift in found.drift
            ],
        )
    for warning in found.warnings:
        console.warn(warning)


def _show_manifest(manifest: ManifestDiff) -> None:
    changed = [(name, *_both(change)) for name, change in manifest.config.items()]
    changed += [(f"version of {name}", *_both(change)) for name, change in manifest.versions.items()]
    changed += [(f"input {name}", "", "added") for name in manifest.inputs_added]
    changed += [(f"input {name}", "removed", "") for name in manifest.inputs_removed]
    changed += [(f"input {name}", "", "changed") for name in manifest.inputs_changed]
    if changed:
        console.table("what made them", ("", "before", "after"), changed)
    code = {
        "same": "the same code",
        "changed": "the code changed",
        "unknown": "whether the code changed is not known: config or inputs did, see the git commits",
    }
    console.say(code[manifest.code])


def _both(change: Changed) -> tuple[str, str]:
    return _short(change.before), _short(change.after)


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _show_counts(counts: dict[str, Changed]) -> None:
    rows = []
    for name, change in counts.items():
        before, after = change.before or 0, change.after or 0
        rows.append((name, f"{before:,}", f"{after:,}", f"{after - before:+,}" if after != before else ""))
    console.table("counts", ("", "before", "after", "change"), rows)


def _show_rows(found: DatasetDiff) -> None:
    rows = found.rows
    table = [
        ("the same", f"{rows.same:,}", ""),
        _line("added", rows.added),
        _line("removed", rows.removed),
        _line("other messages", rows.content_changed),
        _line("other meta data", rows.meta_changed),
        *(_line(f"moved: {move.before} to {move.after}", move.rows) for move in rows.moved),
        *((f"removed, now rejected: {reason}", f"{n:,}", "") for reason, n in rows.now_rejected.items()),
        *((f"added, once rejected: {reason}", f"{n:,}", "") for reason, n in rows.once_rejected.items()),
    ]
    console.table("rows by id", ("", "rows", "for example"), table)


def _line(name: str, rows: Rows) -> tuple[str, str, str]:
    return name, f"{rows.count:,}", ", ".join(rows.examples[:3])
