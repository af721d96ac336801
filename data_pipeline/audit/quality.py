"""The quality score and its components, and what the sampling made of the mix."""

import math

import pandas as pd

from data_pipeline.audit.counting import Rows, histogram, json_counts, share_true, value_counts
from data_pipeline.audit.model import Cell, Component, Counts, PiiType, Share
from data_pipeline.quality.config import COMPONENTS

UNKNOWN = "unknown"
_TENTHS = tuple(tenth / 10 for tenth in range(11))
_CELL = ["topic", "difficulty", "sentiment"]


def components(rows: Rows) -> list[Component]:
    """The score, then what it is made of."""
    return [_component(rows, name) for name in ("score", *COMPONENTS)]


def _component(rows: Rows, name: str) -> Component:
    before, after = rows.before[name], rows.after[name]
    measured = before.notna()
    rejected = rows.before.loc[rows.before["level"] == "level2", name]
    by: Counts = {}
    if f"{name}_by" in rows.before:
        by = value_counts(rows.before.loc[measured, f"{name}_by"])
    return Component(
        name=name,
        measured=Share.of_rows(int(measured.sum()), len(before)),
        by=by,
        histogram=histogram(before, after, _TENTHS),
        mean_before=_mean(before),
        mean_after=_mean(after),
        mean_rejected=_mean(rejected),
    )


def _mean(column: "pd.Series[float]") -> float | None:
    # Summed without rounding, so that the order of the rows does not show.
    values = column.dropna()
    return math.fsum(values) / len(values) if len(values) else None


def flags(rows: Rows) -> dict[str, Share]:
    """Rows by flag, of those that level 2 scored or flagged."""
    _, flagged = json_counts(rows.before["flags"])
    seen = int((rows.before["score"].notna() | (rows.before["flags"] != "[]")).sum())
    ranked = sorted(flagged.items(), key=lambda item: (-item[1], item[0]))
    return {flag: Share.of_rows(count, seen) for flag, count in ranked}


def pii(rows: Rows) -> tuple[Share, list[PiiType]]:
    """Conversations with any personal data, and each type's findings."""
    found, with_type = json_counts(rows.before["pii"])
    size = len(rows.before)
    any_found = Share.of_rows(int((rows.before["pii"] != "{}").sum()), size)
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    types = [
        PiiType(type=kind, found=count, rows=Share.of_rows(with_type[kind], size)) for kind, count in ranked
    ]
    return any_found, types


def sampling(rows: Rows) -> list[Cell]:
    """Topic x difficulty x sentiment before and after level 3; empty when none of the three was measured."""
    if rows.sampled[_CELL].isna().all(axis=None):
        return []
    before = rows.sampled[_CELL].fillna(UNKNOWN).value_counts()
    after = rows.after[_CELL].fillna(UNKNOWN).value_counts()
    return [
        Cell(
            topic=str(topic),
            difficulty=str(difficulty),
            sentiment=str(sentiment),
            before=int(count),
            after=int(after.get((topic, difficulty, sentiment), 0)),
        )
        for (topic, difficulty, sentiment), count in sorted(before.items())
    ]


def label_noise(rows: Rows) -> tuple[Share, dict[str, Share]]:
    """Share of the labels that are suspected to be wrong, in all and by label."""
    by_label = {
        str(label): share_true(column) for label, column in rows.before.groupby("label")["label_noise"]
    }
    worst_first = sorted(by_label.items(), key=lambda item: (-(item[1].value or 0), item[0]))
    return share_true(rows.before["label_noise"]), {label: s for label, s in worst_first if s.of}


def low_quality_synthetic(rows: Rows) -> Share:
    """Share that level 2 rejected, of the synthetic rows that it scored."""
    scored = rows.before[(rows.before["origin"] == "synthetic") & rows.before["score"].notna()]
    return Share.of_rows(int((scored["level"] == "level2").sum()), len(scored))
