"""How many rows each stage left, and why the others went."""

from collections.abc import Mapping, Sequence

from data_pipeline.audit.counting import Rows, by_count, value_counts
from data_pipeline.audit.model import Duplicates, Example, Removed, Share, Stage, Totals

EXAMPLES = 3
_LEVELS = ("level1", "level2", "level3")


def totals(rows: Rows, rows_read: int, defects: int) -> Totals:
    """Raises RuntimeError when rows were lost or counted twice."""
    if rows_read != defects + len(rows.all):
        raise RuntimeError(
            f"rows were lost: read {rows_read}, {defects} defects, {len(rows.all)} in the frame"
        )
    return Totals(
        rows_read=rows_read,
        defects=defects,
        held_out=len(rows.all) - len(rows.before),
        conversations=len(rows.before),
        kept=len(rows.after),
    )


def funnel(rows: Rows, total: Totals) -> list[Stage]:
    """What was read (holdouts left out) and what is left after the cleaning and each level."""
    top = total.rows_read - total.held_out
    left = total.conversations
    stages = [Stage(name="read", rows=Share.of_rows(top, top))]
    stages.append(Stage(name="clean", rows=Share.of_rows(left, top)))
    rejected = value_counts(rows.before["level"])
    for level in _LEVELS:
        left -= rejected.get(level, 0)
        stages.append(Stage(name=level, rows=Share.of_rows(left, top)))
    return stages


def removed(
    rows: Rows, total: Totals, defects: Mapping[str, int], examples: Mapping[str, Sequence[Example]]
) -> list[Removed]:
    """Every reason of every stage, with up to three examples."""
    top = total.rows_read - total.held_out
    by_stage = {"clean": by_count(defects)}
    for level in _LEVELS:
        by_stage[level] = value_counts(rows.before.loc[rows.before["level"] == level, "reason"])
    return [
        Removed(
            stage=stage,
            reason=reason,
            rows=Share.of_rows(count, top),
            examples=list(examples.get(reason, ()))[:EXAMPLES],
        )
        for stage, reasons in by_stage.items()
        for reason, count in reasons.items()
    ]


def duplicates(rows: Rows) -> Duplicates:
    """Repeats by how they were found. The first or best row of those that repeat each other is no repeat."""
    reasons = value_counts(rows.before["reason"])
    kinds = {"exact": 0, "near": 0, "semantic": 0}
    for reason, count in reasons.items():
        if (kind := duplicate_kind(reason)) is not None:
            kinds[kind] += count
    clusters = rows.all["cluster"].value_counts()
    clusters = clusters[clusters > 1]
    return Duplicates(
        **{kind: Share.of_rows(count, len(rows.before)) for kind, count in kinds.items()},
        rate=Share.of_rows(kinds["exact"] + kinds["near"], len(rows.before)),
        clusters=len(clusters),
        largest_cluster=int(clusters.max()) if len(clusters) else 0,
    )


def duplicate_kind(reason: str) -> str | None:
    """exact, near or semantic; None for a reason that is no repeat."""
    if reason in ("duplicate", "in_holdout"):
        return "exact"
    if reason.startswith("near_"):
        return "near"
    return "semantic" if reason.startswith("semantic_") else None
