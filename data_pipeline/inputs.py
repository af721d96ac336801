"""Which files a build reads, and in which order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.artifacts import input_hash
from common.provenance import digest
from data_pipeline.config import BuildConfig
from data_pipeline.rows import Lines
from data_pipeline.sources.config import HuggingFaceSource, Source, find_files


@dataclass(frozen=True)
class InputFile:
    """One file of a source, or one data set of the hub. Rows tell `name`, and not where that lies.

    `name` is the path below the source's. A data set of the hub has its name as `path` and the commit that is
    read as `revision`. `lines` is the part of a file that is read, None for all of it.
    """

    path: Path
    name: str
    settings: Source
    holdout: str | None = None
    revision: str | None = None
    lines: Lines | None = None

    @property
    def source(self) -> str:
        """What rows and ids carry."""
        return self.settings.label

    @property
    def type(self) -> str:
        """The source's type."""
        return self.settings.type

    @property
    def bytes(self) -> int:
        """Its size, which is not known of a data set of the hub (0)."""
        if self.revision is not None:
            return 0
        if self.lines is not None:
            return self.lines.end - self.lines.start
        files = self.path.rglob("*") if self.path.is_dir() else [self.path]
        return sum(file.stat().st_size for file in files if file.is_file())

    @property
    def content_hash(self) -> str:
        """Hex digest of what would be read: for a data set of the hub, of its commit."""
        if self.revision is None:
            return input_hash(self.path)
        return digest(f"{self.path}@{self.revision}")


def input_files(config: BuildConfig) -> list[InputFile]:
    """All files of a build, in input order: holdouts first, because their rows may be nowhere else.

    Raises UserError: a data set of the hub is not there.
    """
    files: list[InputFile] = []
    for holdout, source in config.holdouts.items():
        files.extend(_files_of(source, holdout))
    for source in config.sources:
        files.extend(_files_of(source, None))
    return files


def input_hashes(files: Sequence[InputFile]) -> dict[str, str]:
    """The content hash of each input, by a name that no two have, for the recipe."""
    return {f"{index}/{file.source}/{file.name}": file.content_hash for index, file in enumerate(files)}


def _files_of(source: Source, holdout: str | None) -> Iterator[InputFile]:
    if isinstance(source, HuggingFaceSource):
        yield _data_set(source, holdout)
        return
    base = _fixed_part(source.path)
    for path in find_files(source.path, source.suffixes):
        name = path.relative_to(base).as_posix() if base in path.parents else path.name
        yield InputFile(path, name, source, holdout)


def _data_set(source: HuggingFaceSource, holdout: str | None) -> InputFile:
    path = Path(source.dataset)
    if path.is_dir():
        return InputFile(path, f"{path.name}/{source.split}", source, holdout)
    from data_pipeline.sources.hub import commit

    return InputFile(path, f"{source.dataset}/{source.split}", source, holdout, commit(source))


def _fixed_part(path: Path) -> Path:
    """The folder above the first wildcard; a path without wildcards itself."""
    for index, part in enumerate(path.parts):
        if not path.exists() and any(mark in part for mark in "*?["):
            return Path(*path.parts[:index])
    return path
