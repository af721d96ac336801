"""Where things come from: hashes of files and code, the git commit, versions of the stack."""

import hashlib
import importlib.metadata
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_CHUNK = 1 << 20
_STACK = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "datasets",
    "bitsandbytes",
    "datatrove",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "unsloth",
    "vllm",
)


def digest(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    value = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            value.update(chunk)
    return value.hexdigest()


def code_hash(sources: tuple[str, ...]) -> str:
    """Hash of source and data files of this project: folders, files or globs from the repository's root.

    Raises ValueError when a source matches nothing.
    """
    root = Path(__file__).resolve().parent.parent
    files: set[Path] = set()
    for source in sources:
        found = {
            path
            for match in root.glob(source)
            for path in (match.rglob("*") if match.is_dir() else [match])
            if path.is_file() and "__pycache__" not in path.parts
        }
        if not found:
            raise ValueError(f"no file of the project matches '{source}'")
        files |= found
    return tree_hash({str(path.relative_to(root)): file_hash(path) for path in files})


def git_commit() -> str:
    """The checkout's commit, with '+changes' when files differ from it; 'unknown' outside of git."""
    command = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--abbrev=40"]
    try:
        result = subprocess.run(
            [*command, "--dirty=+changes", "--exclude=*"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return result.stdout.strip() or "unknown"


def tree_hash(hashes: Mapping[str, str]) -> str:
    """One hash for many named files, whatever their order."""
    return digest("".join(f"{value}  {name}\n" for name, value in sorted(hashes.items())))


def loaded_versions() -> dict[str, str]:
    """Versions of what this process has loaded of the stack; nothing is imported for the asking."""
    return {name: importlib.metadata.version(name) for name in _STACK if name in sys.modules}
