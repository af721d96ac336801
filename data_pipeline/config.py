"""What `python -m data_pipeline.build` can be told."""

import glob
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, model_validator

from common import seeds
from common.artifacts import MANIFEST
from common.config import Config

SPLITS = ("train", "val", "test")
SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


def find_files(path: Path) -> list[Path]:
    """The data files that a file, a folder or a glob stands for, sorted; no hidden ones and no manifests."""
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if not _is_hidden(file.relative_to(path))]
    else:
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    return sorted(f for f in found if f.is_file() and f.name.endswith(SUFFIXES) and f.name != MANIFEST)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _holds_files(path: Path, info: ValidationInfo) -> Path:
    if (info.context or {}).get("check_paths", True) and not find_files(path):
        raise ValueError(f"no file ending in {', '.join(SUFFIXES)} at '{path}'")
    return path


def _not_taken(name: str) -> str:
    if name in (*SPLITS, "rejected"):
        raise ValueError(f"'{name}' is taken: choose another name for the holdout")
    return name


DataPath = Annotated[Path, AfterValidator(_holds_files)]
"""A file, a folder or a glob of .json, .jsonl, .json.gz or .jsonl.gz, relative to the working directory."""

HoldoutName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,59}$"), AfterValidator(_not_taken)
]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Source(Config):
    """Where tickets come from, and in which format."""

    type: Literal["zendesk", "chat"]
    path: DataPath
    # Sources of one name share their customer and conversation ids, so give two help desks two names.
    name: Text | None = None

    @property
    def label(self) -> str:
        """What rows and ids carry: the name, or else the type."""
        return self.name or self.type


class Split(Config):
    """Share of the groups of rows that goes to each split; together 1."""

    train: float = Field(0.8, gt=0, le=1)
    val: float = Field(0.1, ge=0, lt=1)
    test: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _adds_up(self) -> "Split":
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, val and test add up to {total:g}, not to 1")
        return self


class BuildConfig(Config):
    """Config of `data_pipeline.build`."""

    output: Path
    sources: list[Source] = Field(min_length=1)
    # Rows for evaluation only: cleaned in the same way, written to `<name>.jsonl`, never in the splits.
    holdouts: dict[HoldoutName, Source] = Field(default_factory=dict)
    system_prompt: Text
    # A row's own system message stays, or the prompt above takes its place.
    replace_system_prompt: bool = False
    split: Split = Split()
    split_seed: int = seeds.DATA_SPLIT
    # A larger share of the rows rejected for a defect (a repeated row has none) fails the run.
    max_rejected_share: float = Field(0.2, ge=0, le=1)
    max_line_bytes: int = Field(1_000_000, ge=1)
    # Left out of the recipe: it changes the speed, never the content.
    workers: int = Field(1, ge=1, exclude=True)

    @model_validator(mode="after")
    def _output_is_no_input(self) -> "BuildConfig":
        output = self.output.absolute()
        for source in (*self.sources, *self.holdouts.values()):
            if source.path.is_dir() and source.path.absolute() in output.parents:
                raise ValueError(
                    f"output '{self.output}' lies in the source '{source.path}': it would be read"
                )
        return self
