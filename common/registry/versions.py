"""A registered version: what it is, its files with their SHA-256, and how its files are found and checked."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import UserError
from common.provenance import file_hash
from common.registry.kinds import ATTACHMENTS
from common.registry.locks import alone
from common.registry.store import Store
from common.registry.trail import State

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

_FILE, _LINEAGE, _KIND, _BY = "sha256/", "lineage/", "kind", "registered_by"


@dataclass(frozen=True)
class Version:
    """A version as it was when it was looked up.

    `files` (SHA-256 by path) are fixed at registration, `attachments` were added later. `lineage` is what
    metadata.json says of where the model comes from. The files lie in the MLflow run `run_id`.
    """

    name: str
    number: int
    kind: str
    description: str
    registered_at: str
    registered_by: str
    files: dict[str, str]
    attachments: dict[str, str]
    lineage: dict[str, str]
    aliases: tuple[str, ...]
    run_id: str

    @property
    def label(self) -> str:
        """`customer-support-v3`: never another version's, so that a server can keep its files under it."""
        return f"{self.name}-v{self.number}"

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of all files and attachments, by path."""
        return self.files | self.attachments

    @classmethod
    def of(cls, found: "ModelVersion", state: State) -> "Version":
        """Raises UserError when the version was not registered by this registry."""
        if found.run_id is None or not has_kind(found.tags):
            raise UserError(
                f"version {found.version} of '{found.name}' in MLflow was not registered by this registry",
                "register its folder",
            )
        number = int(found.version)
        at = datetime.fromtimestamp(found.creation_timestamp / 1000, UTC)
        return cls(
            name=found.name,
            number=number,
            kind=found.tags[_KIND],
            description=found.description or "",
            registered_at=at.isoformat(timespec="seconds"),
            registered_by=found.tags[_BY],
            files=_below(_FILE, found.tags),
            attachments=dict(state.attachments.get(number, {})),
            lineage=_below(_LINEAGE, found.tags),
            aliases=tuple(alias for alias, other in state.aliases.items() if other == number),
            run_id=found.run_id,
        )


@dataclass(frozen=True)
class Damage:
    """How files differ from what was registered; it is false when they do not."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.extra)

    def __str__(self) -> str:
        kinds = {"changed": self.changed, "missing": self.missing, "extra": self.extra}
        return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names)


def tags(kind: str, who: str, files: Mapping[str, str], lineage: Mapping[str, str]) -> dict[str, str]:
    """What MLflow keeps of a version beside its number and description."""
    return {
        _KIND: kind,
        _BY: who,
        **{f"{_FILE}{name}": value for name, value in files.items()},
        **{f"{_LINEAGE}{key}": value for key, value in lineage.items() if key != "description"},
    }


def has_kind(found: Mapping[str, str]) -> bool:
    """True for the tags of a version that this registry has created."""
    return _KIND in found


def damage(store: Store, run_id: str, files: Mapping[str, str], attachments: Mapping[str, str]) -> Damage:
    """Compare SHA-256 of a run's files with what they should be."""
    with store.files(run_id) as folder:
        places = _places(files, attachments)
        found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        # An attachment's old contents stay in the store, as does what a killed `attach` has left.
        known = {place for place, _ in places.values()}
        extra = (n for n in found.keys() - known if not n.startswith(f"{ATTACHMENTS}/"))
        return Damage(
            changed=tuple(
                n for n, (at, sha) in places.items() if at in found and file_hash(found[at]) != sha
            ),
            missing=tuple(name for name, (place, _) in places.items() if place not in found),
            extra=tuple(sorted(extra)),
        )


def attachment_folder(sha256: str) -> str:
    """Where an attachment lies: by content, so that a new one never overwrites what the trail still names."""
    return f"{ATTACHMENTS}/{sha256}"


def fetch(store: Store, version: Version, folder: Path) -> Path:
    """Bring a version's files to `folder`/`version.label`, checked; see `Registry.fetch`."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / version.label
    with alone(folder / f".{version.label}.lock"):
        for left in folder.glob(f".{version.label}.*.tmp"):
            shutil.rmtree(left)  # of a killed process
        wanted = {
            name: where
            for name, where in _places(version.files, version.attachments).items()
            if not (target / name).is_file() or file_hash(target / name) != where[1]
        }
        if not wanted:
            return target
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{version.label}.", suffix=".tmp") as work:
            whole = Path(work, "whole")
            for name, (place, sha256) in wanted.items():
                copy = store.download(version.run_id, place, Path(work))
                if file_hash(copy) != sha256:
                    what = f"'{name}' of {version.label} is not the file that was registered"
                    raise UserError(what, "do not serve this version; register its folder again")
                _move(copy, whole / name)
            if not target.exists():
                os.replace(whole, target)
                return target
            for name in wanted:
                _move(whole / name, target / name)
    return target


def _places(files: Mapping[str, str], attachments: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Where each file lies among the run's files, and its SHA-256."""
    placed = {name: (name, sha256) for name, sha256 in files.items()}
    return placed | {
        name: (f"{attachment_folder(sha256)}/{name}", sha256) for name, sha256 in attachments.items()
    }


def _below(prefix: str, found: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)}


def _move(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    os.replace(file, to)
