"""Artifacts: folders with data and a `manifest.json`, whole or absent.

A stage writes into a temporary folder beside its output, which is renamed into place at the end:

    with writing(config.output, recipe) as folder:
        (folder / "train.jsonl").write_text(...)
        recipe.counts["train"] = 1200

`Recipe.fingerprint` covers everything that decides the content (config, inputs, code), so a later run can
tell that its output is up to date. `Manifest.content_hash` covers the files themselves.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.config import Config
from common.errors import UserError
from common.provenance import code_hash, digest, file_hash, git_commit, loaded_versions, tree_hash

MANIFEST = "manifest.json"


@dataclass
class Recipe:
    """What decides an artifact's content, and what is counted while it is made.

    `inputs` maps a name to a content hash (see `input_hash`). `volatile` names files that may differ
    between equal runs (a timestamp inside): they are listed, but stay out of the content hash.
    """

    kind: str
    config: dict[str, Any]
    inputs: dict[str, str]
    code: str
    seeds: dict[str, int] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    incidental: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        kind: str,
        config: Config,
        *,
        inputs: Mapping[str, Path],
        code: tuple[str, ...],
        volatile: tuple[str, ...] = (),
        incidental: tuple[str, ...] = (),
    ) -> "Recipe":
        """`inputs` maps the config's field names to paths; the same data under another path is the same.

        `incidental` names settings that decide nothing of the content: where progress is reported to.

        `code` names the source files that decide the content (see `code_hash`): no more than those, or
        a change elsewhere would redo hours of work.
        """
        settings = config.model_dump(mode="json")
        return cls(
            kind=kind,
            config=settings,
            inputs={name: input_hash(path) for name, path in sorted(inputs.items())},
            code=code_hash(code),
            seeds={key: value for key, value in settings.items() if key.endswith("seed")},
            volatile=volatile,
            incidental=incidental,
        )

    @property
    def fingerprint(self) -> str:
        """Hex digest of kind, config (without the paths of output and inputs and what is incidental), input
        hashes and code."""
        left_out = {"output", *self.inputs, *self.incidental}
        config = {key: value for key, value in self.config.items() if key not in left_out}
        return digest(json.dumps([self.kind, config, self.inputs, self.code], sort_keys=True))


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`, read back."""

    kind: str
    content_hash: str
    fingerprint: str
    created_at: str
    git_commit: str
    python: str
    versions: dict[str, str]
    config: dict[str, Any]
    inputs: dict[str, str]
    seeds: dict[str, int]
    counts: dict[str, Any]
    files: dict[str, dict[str, Any]]


@contextmanager
def writing(output: Path, recipe: Recipe) -> Iterator[Path]:
    """Yield an empty folder to write into; on success add the manifest and rename it to `output`.

    On any error, and after a kill, `output` is as it was before.
    """
    check_replaceable(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(output)
    folder = _temporary(output)
    try:
        yield folder
        manifest = _manifest(folder, recipe)
        (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n")
        folder.chmod(0o755)
        _replace(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_replaceable(output: Path) -> None:
    """Raises UserError when `output` holds something that no stage wrote: it would be deleted."""
    if output.is_dir() and not (output / MANIFEST).is_file() and any(output.iterdir()):
        raise UserError(f"'{output}' holds files that no stage wrote", "choose another output")
    if output.exists() and not output.is_dir():
        raise UserError(f"'{output}' is a file", "choose another output")


def read_manifest(path: Path) -> Manifest:
    """Raises UserError when `path` is no artifact."""
    try:
        return Manifest(**json.loads((path / MANIFEST).read_text()))
    except FileNotFoundError:
        what = f"'{path}' is not an artifact: it has no {MANIFEST}"
        raise UserError(what, "run the stage that writes it") from None
    except (json.JSONDecodeError, TypeError) as error:
        what = f"'{path / MANIFEST}' is damaged: {error}"
        raise UserError(what, "run the stage that writes it again") from None


def is_up_to_date(output: Path, recipe: Recipe) -> bool:
    """True when `output` was made by the same recipe and its files are all there with their sizes."""
    if not (output / MANIFEST).is_file():
        return False
    manifest = read_manifest(output)
    return manifest.fingerprint == recipe.fingerprint and all(
        (output / name).is_file() and (output / name).stat().st_size == entry["bytes"]
        for name, entry in manifest.files.items()
    )


def verify(path: Path) -> list[str]:
    """Names of files that are missing or whose SHA-256 differs from the manifest's."""
    return [
        name
        for name, entry in read_manifest(path).files.items()
        if not (path / name).is_file() or file_hash(path / name) != entry["sha256"]
    ]


def input_hash(path: Path) -> str:
    """Content hash of an artifact, of a file's bytes, or of all files below a plain folder."""
    if (path / MANIFEST).is_file():
        return read_manifest(path).content_hash
    if path.is_dir():
        return tree_hash({str(p.relative_to(path)): file_hash(p) for p in path.rglob("*") if p.is_file()})
    return file_hash(path)


def _manifest(folder: Path, recipe: Recipe) -> Manifest:
    files: dict[str, dict[str, Any]] = {
        str(path.relative_to(folder)): {"sha256": file_hash(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    stable = {name: entry["sha256"] for name, entry in files.items() if name not in recipe.volatile}
    return Manifest(
        kind=recipe.kind,
        content_hash=tree_hash(stable),
        fingerprint=recipe.fingerprint,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        git_commit=git_commit(),
        python=".".join(map(str, sys.version_info[:3])),
        versions=loaded_versions(),
        config=recipe.config,
        inputs=recipe.inputs,
        seeds=recipe.seeds,
        counts=recipe.counts,
        files=files,
    )


def _replace(folder: Path, output: Path) -> None:
    """Rename `folder` to `output`; an older artifact there is moved aside first, then removed."""
    if not output.exists():
        os.rename(folder, output)
        return
    old = _temporary(output)
    os.rename(output, old / "artifact")
    os.rename(folder, output)
    shutil.rmtree(old, ignore_errors=True)


def _temporary(output: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f".{output.name}.{os.getpid()}.", suffix=".tmp", dir=output.parent))


def _remove_left_behind(output: Path) -> None:
    """Remove temporary folders for `output` whose process was killed."""
    for folder in output.parent.glob(f".{output.name}.*.tmp"):
        pid = folder.name.removeprefix(f".{output.name}.").split(".")[0]
        if not (pid.isdigit() and _is_alive(int(pid))):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
