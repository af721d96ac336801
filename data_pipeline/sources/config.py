"""Where rows come from: one model for each type of source."""

import codecs
import glob
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, model_validator

from common.artifacts import MANIFEST
from common.config import Config
from data_pipeline.sources.columns import Columns, LabelColumns
from data_pipeline.sources.columns import Text as Text

JSON_SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
TABLE_SUFFIXES = (*JSON_SUFFIXES, ".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
ARTICLE_SUFFIXES = (".md", ".html", ".htm")

Origin = Literal["ticket", "synthetic", "kb"]
"""What a row is: a conversation that took place, one that was made up, or a piece of the knowledge base."""


def find_files(path: Path, suffixes: tuple[str, ...] = JSON_SUFFIXES) -> list[Path]:
    """The data files that a file, a folder or a glob stands for, sorted; no hidden ones and no manifests.

    In a folder with a manifest, which one of our commands has written, `rejected.jsonl` is no data either.
    """
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if not _is_hidden(file.relative_to(path))]
    else:
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    return sorted(f for f in found if f.is_file() and f.name.endswith(suffixes) and not _is_beside(f))


def _is_beside(path: Path) -> bool:
    return path.name == MANIFEST or (path.name == "rejected.jsonl" and (path.parent / MANIFEST).is_file())


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _holding(suffixes: tuple[str, ...]) -> AfterValidator:
    def holds_files(path: Path, info: ValidationInfo) -> Path:
        if (info.context or {}).get("check_paths", True) and not find_files(path, suffixes):
            raise ValueError(f"no file ending in {', '.join(suffixes)} at '{path}'")
        return path

    return AfterValidator(holds_files)


DataPath = Annotated[Path, _holding(JSON_SUFFIXES)]
"""A file, a folder or a glob of .json, .jsonl, .json.gz or .jsonl.gz, relative to the working directory."""

TablePath = Annotated[Path, _holding(TABLE_SUFFIXES)]
"""The same for tables: JSON as above, .csv and .tsv (also .gz), .parquet."""

ArticlesPath = Annotated[Path, _holding(ARTICLE_SUFFIXES)]
"""The same for articles: .md, .html, .htm."""


class _Source(Config):
    type: str
    # Sources of one name share their customer and conversation ids, so give two help desks two names.
    name: Text | None = None
    labels: list[LabelColumns] = Field(default_factory=list)

    @property
    def label(self) -> str:
        """What rows and ids carry: the name, or else the type."""
        return self.name or self.type


class _Files(_Source):
    path: DataPath

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What the names of its files end in."""
        return JSON_SUFFIXES


class _Tickets(_Files):
    @property
    def origin(self) -> Origin:
        """These are conversations that took place."""
        return "ticket"


class ZendeskSource(_Tickets):
    """Tickets with their comments, in Zendesk's JSON."""

    type: Literal["zendesk"]


class IntercomSource(_Tickets):
    """Conversations with their parts, in Intercom's JSON."""

    type: Literal["intercom"]


class FreshdeskSource(_Tickets):
    """Tickets with their conversations or notes, in Freshdesk's JSON."""

    type: Literal["freshdesk"]


class ChatSource(_Files):
    """Rows with `messages`."""

    type: Literal["chat"]
    origin: Origin = "ticket"


class SyntheticSource(_Files):
    """Rows with `messages` that nobody has said: examples written by a model or a generator."""

    type: Literal["synthetic"]

    @property
    def origin(self) -> Origin:
        """Every row is marked as made up."""
        return "synthetic"


class TableSource(_Source):
    """CSV, JSON Lines or Parquet with columns of any names."""

    type: Literal["table"]
    path: TablePath
    columns: Columns
    origin: Origin = "ticket"
    # Of CSV files; a byte order mark at their beginning is stronger.
    encoding: Text = "utf-8"
    # Of CSV files; None is a tab in .tsv files and a comma in others.
    delimiter: Annotated[str, StringConstraints(pattern=r'^[^"\r\n\x80-\U0010ffff]$')] | None = None

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What the names of its files end in."""
        return TABLE_SUFFIXES

    def delimiter_of(self, path: Path) -> str:
        """What stands between the fields of a CSV file."""
        return self.delimiter or ("\t" if path.name.removesuffix(".gz").endswith(".tsv") else ",")

    @model_validator(mode="after")
    def _encoding_is_known(self) -> "TableSource":
        try:
            codecs.getincrementaldecoder(self.encoding)
        except LookupError:
            raise ValueError(f"no text encoding is called '{self.encoding}'") from None
        return self


class ArticlesSource(_Source):
    """A folder of knowledge-base articles: each section is an answer to its heading."""

    type: Literal["kb"]
    path: ArticlesPath

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What the names of its files end in."""
        return ARTICLE_SUFFIXES

    @property
    def origin(self) -> Origin:
        """Nobody has asked these questions."""
        return "kb"


class HuggingFaceSource(_Source):
    """A data set of the Hugging Face hub, or a folder of one."""

    type: Literal["huggingface"]
    # `owner/name` on the hub, or a folder (as it lies in a repository, or as save_to_disk has written it).
    dataset: Text
    subset: Text | None = None
    split: Text = "train"
    # Branch, tag or commit on the hub. The commit that it means when the build starts is in the manifest.
    revision: Text = "main"
    # Without it, rows have `messages`, as those of the type chat.
    columns: Columns | None = None
    origin: Origin = "ticket"


Source = Annotated[
    ZendeskSource
    | IntercomSource
    | FreshdeskSource
    | ChatSource
    | SyntheticSource
    | TableSource
    | ArticlesSource
    | HuggingFaceSource,
    Field(discriminator="type"),
]
"""Any of them, told apart by `type`."""


def columns_of(source: Source) -> Columns | None:
    """The columns of a source that is a table."""
    return source.columns if isinstance(source, TableSource | HuggingFaceSource) else None
