"""What a folder must hold to be registered."""

import fnmatch
import json
import re
from dataclasses import dataclass
from pathlib import Path

from common import artifacts
from common.errors import UserError
from common.provenance import file_hash

EVALUATION = "evaluation_results.json"
"""Comes from evaluation, after training: without it a version can't become champion."""

ATTACHMENTS = "attachments"
"""The folder of a version, in the store, that what is attached later goes to."""

_METADATA = "metadata.json"
_METADATA_KEYS = ("created_at", "git_commit", "description")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_MAX_FILE_NAME = 200


@dataclass(frozen=True)
class Kind:
    """A sort of model: its name, and the files that each version of it must have from the start.

    `weights` is a pattern that at least one file must match, where weights may lie in several.
    """

    name: str
    required: tuple[str, ...]
    weights: str | None = None


ADAPTER = Kind(
    "adapter", ("adapter_config.json", "adapter_model.safetensors", "training_args.json", _METADATA)
)
MODEL = Kind("model", ("config.json", "training_args.json", _METADATA), weights="*.safetensors")
"""All weights of a model, be they fine-tuned or merged."""


def inspect(folder: Path, kind: Kind) -> tuple[dict[str, str], dict[str, str]]:
    """Check `folder` and return (SHA-256 by file, the texts in its metadata.json).

    Raises:
        UserError: a file is missing, has an odd name, or is not as its stage wrote it.
    """
    if not folder.is_dir():
        raise UserError(f"no such folder: '{folder}'", "give the folder that the training stage wrote")
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    # metadata.json is asked of every kind: the lineage is read from it.
    missing = sorted({*kind.required, _METADATA} - paths.keys())
    if kind.weights and not fnmatch.filter(paths, kind.weights):
        missing.append(kind.weights)
    if missing:
        raise UserError(
            f"'{folder}' can't be registered as {kind.name}: it has no {', '.join(missing)}",
            "run the stage that writes it again",
        )
    for name in sorted(paths):
        check_file_name(name)
    if (folder / artifacts.MANIFEST).is_file() and (changed := artifacts.verify(folder)):
        raise UserError(
            f"'{folder}' is not as its stage wrote it: {', '.join(changed)}",
            "run the stage that writes it again",
        )
    if EVALUATION in paths:
        read_json(paths[EVALUATION])
    return {name: file_hash(path) for name, path in sorted(paths.items())}, _metadata(paths[_METADATA])


def check_file_name(name: str) -> None:
    """Raises UserError for a file name that MLflow or a file system may not keep as it is."""
    if not _FILE_NAME.fullmatch(name) or len(name) > _MAX_FILE_NAME:
        raise UserError(
            f"the registry can't keep a file named '{name}'",
            f"use up to {_MAX_FILE_NAME} letters, digits, '_', '-' and '.', not beginning with '-' or '.'",
        )
    if name.split("/")[0] == ATTACHMENTS:
        raise UserError(f"the folder name '{ATTACHMENTS}' is the registry's own", "rename the folder")


def read_json(path: Path) -> dict[str, object]:
    """Raises UserError when the file holds anything but a JSON object with something in it."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"'{path}' can't be read as JSON: {error}", "run the stage that writes it again"
        ) from None
    if not isinstance(value, dict) or not value:
        raise UserError(f"'{path}' holds no JSON object", "run the stage that writes it again")
    return value


def _metadata(path: Path) -> dict[str, str]:
    metadata = read_json(path)
    if missing := [key for key in _METADATA_KEYS if not isinstance(metadata.get(key), str)]:
        raise UserError(f"'{path}' does not say {', '.join(missing)}", "run the stage that writes it again")
    return {key: value for key, value in metadata.items() if isinstance(value, str)}
