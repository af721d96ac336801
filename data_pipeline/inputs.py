"""Which files a build reads, in which order, and which of them one task takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.config import BuildConfig, Source, find_files

SHARD_BYTES = 32_000_000


@dataclass(frozen=True)
class InputFile:
    """One file of a source. `name` is its path below the source's: rows don't tell where that lies."""

    path: Path
    name: str
    source: str
    type: str
    holdout: str | None = None


def input_files(config: BuildConfig) -> list[InputFile]:
    """All files of a build, in input order: holdouts first, because their rows may be nowhere else."""
    files: list[InputFile] = []
    for holdout, source in config.holdouts.items():
        files.extend(_files_of(source, holdout))
    for source in config.sources:
        files.extend(_files_of(source, None))
    return files


def shards(files: Sequence[InputFile], shard_bytes: int = SHARD_BYTES) -> list[list[InputFile]]:
    """Cut the files into runs of neighbours of about `shard_bytes` each: one run is one task's work.

    This depends on nothing but the files, so that a build can go on with another number of workers.
    """
    runs: list[list[InputFile]] = []
    filled = shard_bytes
    for file in files:
        if filled >= shard_bytes:
            runs.append([])
            filled = 0
        runs[-1].append(file)
        filled += file.path.stat().st_size
    return runs


def _files_of(source: Source, holdout: str | None) -> Iterator[InputFile]:
    base = _fixed_part(source.path)
    for path in find_files(source.path):
        name = path.relative_to(base).as_posix() if base in path.parents else path.name
        yield InputFile(path, name, source.label, source.type, holdout)


def _fixed_part(path: Path) -> Path:
    """The folder above the first wildcard; a path without wildcards itself."""
    for index, part in enumerate(path.parts):
        if not path.exists() and any(mark in part for mark in "*?["):
            return Path(*path.parts[:index])
    return path
