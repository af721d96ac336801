"""Compares two datasets: their manifests, then row by row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from common.artifacts import Manifest, read_manifest
from common.errors import UserError
from data_pipeline.audit.config import AuditConfig
from data_pipeline.audit.drift import compare as compare_distributions
from data_pipeline.diff.index import REJECTED, Hashes, Index, hash64, read_ids, read_index, read_rejected
from data_pipeline.diff.model import Changed, DatasetDiff, ManifestDiff, Move, Rows, RowsDiff, Side

EXAMPLES = 5


def diff(before: Path, after: Path) -> DatasetDiff:
    """What changed from one dataset artifact to the other. Raises UserError when one of them is none."""
    manifests = [_dataset(path) for path in (before, after)]
    files = [_files(path, manifest) for path, manifest in zip((before, after), manifests, strict=True)]
    indexes = [read_index(own) for own in files]
    rows = _rows(indexes, files, (before, after))
    thresholds = AuditConfig()
    drift = compare_distributions(
        indexes[0].distributions,
        indexes[1].distributions,
        watch_psi=thresholds.watch_psi,
        max_psi=thresholds.max_psi,
    )
    old, new = manifests
    sides = [
        Side(
            path=str(path),
            content_hash=manifest.content_hash,
            created_at=manifest.created_at,
            git_commit=manifest.git_commit,
            rows=len(index.ids) + index.twice,
        )
        for path, manifest, index in zip((before, after), manifests, indexes, strict=True)
    ]
    return DatasetDiff(
        before=sides[0],
        after=sides[1],
        same_content=old.content_hash == new.content_hash,
        manifest=_manifest(old, new),
        counts=_changed(_counts(old), _counts(new), keep_equal=True),
        rows=rows,
        drift=drift,
        warnings=_warnings(rows),
    )


def _dataset(path: Path) -> Manifest:
    manifest = read_manifest(path)
    if manifest.kind != "dataset":
        raise UserError(f"'{path}' is of kind {manifest.kind}, not a dataset", "give the output of a build")
    return manifest


def _files(path: Path, manifest: Manifest) -> dict[str, Path]:
    names = [name for name in manifest.files if name.endswith(".jsonl") and name != REJECTED]
    if missing := [name for name in names if not (path / name).is_file()]:
        raise UserError(f"'{path}' lacks {', '.join(missing)}", "build the dataset again")
    return {name.removesuffix(".jsonl"): path / name for name in sorted(names)}


def _manifest(old: Manifest, new: Manifest) -> ManifestDiff:
    config = _changed(_flat(old.config), _flat(new.config))
    config.pop("output", None)
    inputs = _changed(old.inputs, new.inputs)
    code: Literal["same", "changed", "unknown"] = "unknown"
    if old.fingerprint == new.fingerprint:
        code = "same"
    elif not config and not inputs:
        code = "changed"
    return ManifestDiff(
        config=config,
        inputs_added=[name for name, change in inputs.items() if change.before is None],
        inputs_removed=[name for name, change in inputs.items() if change.after is None],
        inputs_changed=[name for name, change in inputs.items() if None not in (change.before, change.after)],
        code=code,
        versions=_changed(
            {"python": old.python, **old.versions},
            {"python": new.python, **new.versions},
        ),
    )


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _changed(
    old: Mapping[str, Any], new: Mapping[str, Any], *, keep_equal: bool = False
) -> dict[str, Changed]:
    names = [*old, *(name for name in new if name not in old)]
    changes = {name: Changed(before=old.get(name), after=new.get(name)) for name in names}
    return {name: found for name, found in changes.items() if keep_equal or found.before != found.after}


def _counts(manifest: Manifest) -> dict[str, int]:
    flat = _flat({key: manifest.counts.get(key, {}) for key in ("rows", "rejected")})
    counts = {name.replace(".", "/", 1): value for name, value in flat.items() if isinstance(value, int)}
    return {"rows_read": manifest.counts.get("rows_read", 0), **counts}


def _rows(indexes: Sequence[Index], files: Sequence[dict[str, Path]], paths: Sequence[Path]) -> RowsDiff:
    old, new = indexes
    _, in_old, in_new = np.intersect1d(old.ids, new.ids, assume_unique=True, return_indices=True)
    added = np.setdiff1d(new.ids, old.ids, assume_unique=True)
    removed = np.setdiff1d(old.ids, new.ids, assume_unique=True)
    both = new.ids[in_new]
    said = old.said[in_old] != new.said[in_new]
    known = ~said & (old.known[in_old] != new.known[in_new])
    moves = _moves(old, new, in_old, in_new)
    moved = np.isin(both, np.concatenate([ids for _, ids in moves])) if moves else np.zeros_like(said)
    chosen = {"added": added, "content": both[said], "meta": both[known]}
    names = _ids(files[1], [*chosen.values(), *(ids for _, ids in moves)])
    names |= _ids(files[0], [removed])
    return RowsDiff(
        same=int((~said & ~known & ~moved).sum()),
        added=_named(added, names),
        removed=_named(removed, names),
        content_changed=_named(chosen["content"], names),
        meta_changed=_named(chosen["meta"], names),
        moved=[Move(before=source, after=target, rows=_named(ids, names)) for (source, target), ids in moves],
        now_rejected=_reasons(paths[1] / REJECTED, removed),
        once_rejected=_reasons(paths[0] / REJECTED, added),
        ids_twice=old.twice + new.twice,
    )


def _moves(
    old: Index, new: Index, in_old: npt.NDArray[np.intp], in_new: npt.NDArray[np.intp]
) -> list[tuple[tuple[str, str], Hashes]]:
    """Ids of the rows that moved, by where from and where to; the most first."""
    places = sorted({*old.places, *new.places})
    source = np.array([places.index(name) for name in old.places], dtype=np.int64)[old.place[in_old]]
    target = np.array([places.index(name) for name in new.places], dtype=np.int64)[new.place[in_new]]
    both = new.ids[in_new]
    ways = sorted({(int(a), int(b)) for a, b in zip(source, target, strict=True) if a != b})
    moves = [((places[a], places[b]), both[(source == a) & (target == b)]) for a, b in ways]
    return sorted(moves, key=lambda move: (-len(move[1]), move[0]))


def _ids(files: Mapping[str, Path], groups: Sequence[Hashes]) -> dict[int, str]:
    """The ids behind the first few hashes of each group: those are found by reading the files again."""
    wanted = {int(value) for group in groups for value in group[:EXAMPLES]}
    found: dict[int, str] = {}
    for path in files.values():
        if len(found) == len(wanted):
            break
        for row_id in read_ids(path):
            if (value := hash64(row_id)) in wanted:
                found[value] = row_id
                if len(found) == len(wanted):
                    break
    return found


def _named(hashes: Hashes, names: Mapping[int, str]) -> Rows:
    examples = [names[value] for value in map(int, hashes[:EXAMPLES]) if value in names]
    return Rows(count=len(hashes), examples=sorted(examples))


def _reasons(rejected: Path, ids: Hashes) -> dict[str, int]:
    """Why rows were rejected; for the first time, where an id was so several times."""
    if not len(ids):
        return {}
    found, reasons = read_rejected(rejected)
    unique, first = np.unique(found, return_index=True)
    counts = Counter(reasons[place] for place in first[np.isin(unique, ids)])
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _warnings(rows: RowsDiff) -> list[str]:
    warnings = [
        f"{move.rows.count:,} rows moved from train to {move.after}: a model that was trained on the first "
        "dataset has seen them"
        for move in rows.moved
        if move.before == "train"
    ]
    if rows.ids_twice:
        warnings.append(f"{rows.ids_twice:,} ids come twice: only their first row was compared")
    return warnings
