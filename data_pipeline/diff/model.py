"""The difference of two datasets as data, for `--json`."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from data_pipeline.audit.model import Drift


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Side(_Model):
    """One of the two datasets."""

    path: str
    content_hash: str
    created_at: str
    git_commit: str
    rows: int


class Changed(_Model):
    """A value before and after; None where there was none."""

    before: Any
    after: Any


class ManifestDiff(_Model):
    """What the manifests say about the two runs.

    `config` and `versions` go by dotted name. `code` is unknown where config or inputs differ too: manifests
    keep one fingerprint of all three.
    """

    config: dict[str, Changed]
    inputs_added: list[str]
    inputs_removed: list[str]
    inputs_changed: list[str]
    code: Literal["same", "changed", "unknown"]
    versions: dict[str, Changed]


class Rows(_Model):
    """Rows in one situation: how many, and the ids of a few."""

    count: int
    examples: list[str]


class Move(_Model):
    """Rows that are in another split or holdout now."""

    before: str
    after: str
    rows: Rows


class RowsDiff(_Model):
    """Rows of all splits and holdouts by id. A row may have moved and changed.

    `content_changed`: the messages differ. `meta_changed`: they are the same, but not what is known of them;
    file and line are left out. `now_rejected`: why removed rows are not in the new dataset, and
    `once_rejected`: why added ones were not in the old one, as far as the rejected rows say so.
    """

    same: int
    added: Rows
    removed: Rows
    content_changed: Rows
    meta_changed: Rows
    moved: list[Move]
    now_rejected: dict[str, int]
    once_rejected: dict[str, int]
    ids_twice: int


class DatasetDiff(_Model):
    """All of it; `counts` are rows by split (`rows/train`) and by reason (`rejected/duplicate`)."""

    before: Side
    after: Side
    same_content: bool
    manifest: ManifestDiff
    counts: dict[str, Changed]
    rows: RowsDiff
    drift: list[Drift]
    warnings: list[str]
