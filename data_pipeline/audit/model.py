"""The audit as data: what `audit.json` holds, and what the page shows.

Throughout, `before` are all conversations that could be read, and `after` those of train, val and test. Rows
of the holdouts are in neither; they are counted under `splits`. None, or a `Share` of no rows, means 'not
measured', and the page says so.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Counts = dict[str, int]
"""Rows by value, most frequent first."""

EDGES: dict[str, tuple[float, ...]] = {
    "characters": (0, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600),
    "tokens": (0, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384),
    "turns": (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 40),
}
"""The same in every version, so that versions can be compared; the last bin takes all that is longer."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Share(_Model):
    """`count` of `of` rows; `value` is None when there was nothing to measure."""

    count: int
    of: int
    value: float | None

    @classmethod
    def of_rows(cls, count: int, of: int) -> "Share":
        """Share of `of` rows."""
        return cls(count=count, of=of, value=count / of if of else None)


class Totals(_Model):
    """Rows read = defects + held_out + conversations; kept are those of train, val and test."""

    rows_read: int
    defects: int
    held_out: int
    conversations: int
    kept: int


class Mix(_Model):
    """Rows by value of one column, and those without a value."""

    before: Counts
    after: Counts
    unknown_before: int
    unknown_after: int


class Histogram(_Model):
    """Rows by bin: bin i is [edges[i], edges[i + 1]), the last one takes its upper edge in."""

    edges: list[float]
    before: list[int]
    after: list[int]


class Lengths(_Model):
    """Lengths in `unit`; quantiles are p5, p50, p95, p99 and max of the kept rows."""

    unit: Literal["characters", "tokens", "turns"]
    histogram: Histogram
    quantiles: dict[str, float]
    limit: int | None = None
    over_limit: Share | None = None


class Duplicates(_Model):
    """Rejected repeats, and the largest cluster of near-duplicates. `rate` are exact and near ones.

    Semantic ones say the same in other words; the sampling looks for them among the rows that reach it.
    """

    rate: Share
    exact: Share
    near: Share
    semantic: Share
    clusters: int
    largest_cluster: int


class Disagreement(_Model):
    """Two labels that annotators gave to the same row, and how often (pairs of annotators)."""

    labels: tuple[str, str]
    pairs: int


class Agreement(_Model):
    """Rows that several people labelled. `alpha` is None where only one label is in use."""

    rows: int
    annotators: int
    percent: float
    alpha: float | None
    disagreements: list[Disagreement]


class PiiType(_Model):
    """Findings of one type, and the rows that have any."""

    type: str
    found: int
    rows: Share


class Example(_Model):
    """A rejected row as the page shows it. `text` has been scrubbed of personal data by the caller."""

    id: str
    text: str = Field(max_length=2000)


class Stage(_Model):
    """Rows left after a stage of the funnel, and their share of all rows at its top."""

    name: str
    rows: Share


class Removed(_Model):
    """Rows that one stage rejected for one reason; the share is of the rows at the funnel's top."""

    stage: str
    reason: str
    rows: Share
    examples: list[Example]


class Component(_Model):
    """The quality score or one of its components, 0 to 1. `by` says how: rows by judge, embedding, rules."""

    name: str
    measured: Share
    by: Counts
    histogram: Histogram
    mean_before: float | None
    mean_after: float | None
    mean_rejected: float | None


class Cell(_Model):
    """Topic x difficulty x sentiment: rows that reached the sampling, and rows that it kept."""

    topic: str
    difficulty: str
    sentiment: str
    before: int
    after: int


class Leak(_Model):
    """Things that should be in one split and are in several; `count` is None when they were not measured."""

    what: str
    count: int | None
    examples: list[str]


class Splits(_Model):
    """Rows of every split and holdout, kept topics by split, and what is in more than one."""

    rows: Counts
    topics: dict[str, Counts]
    missing_topics: dict[str, list[str]]
    leaks: list[Leak]


class Change(_Model):
    """A value whose share of the rows moved."""

    value: str
    before: float
    after: float


class Drift(_Model):
    """One distribution against the previous version's, with the values that moved most.

    `noise` is the PSI that two samples of these sizes from one distribution exceed in 5 % of cases.
    """

    name: str
    psi: float
    kl: float
    noise: float
    rows_before: int
    rows_after: int
    verdict: Literal["stable", "watch", "drifted"]
    changes: list[Change]


class Previous(_Model):
    """The version that drift is measured against."""

    version: str
    kept: int
    drift: list[Drift]


class Decision(_Model):
    """What a threshold says. `verdict` is yes when something should be done."""

    name: str
    verdict: Literal["yes", "no", "not_measured"]
    reason: str


class Audit(_Model):
    """All of it."""

    dataset: str
    version: str
    totals: Totals
    mixes: dict[str, Mix]
    lengths: dict[str, Lengths]
    duplicates: Duplicates
    multi_intent: Share
    ambiguous: Share
    mixed_language: Share
    agreement: Agreement | None
    label_noise: Share
    label_noise_by_label: dict[str, Share]
    synthetic: Share
    synthetic_kept: Share
    synthetic_low_quality: Share
    pii_rows: Share
    pii: list[PiiType]
    funnel: list[Stage]
    removed: list[Removed]
    components: list[Component]
    flags: dict[str, Share]
    sampling: list[Cell]
    splits: Splits
    previous: Previous | None
    decisions: list[Decision]
