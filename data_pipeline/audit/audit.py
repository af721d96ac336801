"""From the frame of columns to the audit.

frame = check_frame(pandas.read_parquet("columns.parquet"))
found = audit(frame, counts, config, dataset="my_dataset", version=recipe.fingerprint[:12], ...)
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from data_pipeline.audit.agreement import agreement
from data_pipeline.audit.columns import check_frame
from data_pipeline.audit.config import AuditConfig
from data_pipeline.audit.counting import Rows, histogram, mix, share_true
from data_pipeline.audit.decisions import decisions
from data_pipeline.audit.drift import compare
from data_pipeline.audit.funnel import duplicates, funnel, removed, totals
from data_pipeline.audit.model import EDGES, Audit, Counts, Example, Lengths, Previous, Share
from data_pipeline.audit.quality import components, flags, label_noise, low_quality_synthetic, pii, sampling
from data_pipeline.audit.splits import splits

MIXES = ("source", "origin", "language", "topic", "label", "difficulty", "sentiment")
COMPARED = ("source", "origin", "language", "topic", "label")
_QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def audit(
    frame: pd.DataFrame,
    counts: Mapping[str, Any],
    config: AuditConfig,
    *,
    dataset: str,
    version: str,
    previous: Audit | None = None,
    examples: Mapping[str, Sequence[Example]] | None = None,
) -> Audit:
    """Measure a dataset.

    Args:
        frame: what `columns.parquet` holds, one row a conversation.
        counts: `rows_read`, and `defects`: rows that became no conversation, by reason.
        dataset: name on the page.
        version: tells this audit from the next one, e.g. the beginning of the recipe's fingerprint.
        previous: the audit of the version before.
        examples: rejected rows by reason, scrubbed of personal data; three of each are shown.

    Raises:
        InvalidRows: the frame breaks the schema.
        RuntimeError: the counts don't add up.
    """
    rows = Rows.of(check_frame(frame))
    defects: Mapping[str, int] = counts["defects"]
    total = totals(rows, counts["rows_read"], sum(defects.values()))
    noise, noise_by_label = label_noise(rows)
    pii_rows, pii_types = pii(rows)
    found = Audit(
        dataset=dataset,
        version=version,
        totals=total,
        mixes={name: mix(rows.before[name], rows.after[name]) for name in MIXES},
        lengths=_lengths(rows, config.max_length),
        duplicates=duplicates(rows),
        multi_intent=share_true(rows.before["multi_intent"]),
        ambiguous=share_true(rows.before["ambiguous"]),
        mixed_language=_mixed(rows.before["language"]),
        agreement=agreement(rows.before["labels"].dropna()),
        label_noise=noise,
        label_noise_by_label=noise_by_label,
        synthetic=_synthetic(rows.before),
        synthetic_kept=_synthetic(rows.after),
        synthetic_low_quality=low_quality_synthetic(rows),
        pii_rows=pii_rows,
        pii=pii_types,
        funnel=funnel(rows, total),
        removed=removed(rows, total, defects, examples or {}),
        components=components(rows),
        flags=flags(rows),
        sampling=sampling(rows),
        splits=splits(rows),
        previous=None,
        decisions=[],
    )
    if previous is not None:
        found = found.model_copy(update={"previous": _previous(previous, found, config)})
    return found.model_copy(update={"decisions": decisions(found, config)})


def read_audit(path: Path) -> Audit | None:
    """An audit.json of this or another version; None when there is none, or it has another shape."""
    try:
        return Audit.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def distributions(found: Audit) -> dict[str, Counts]:
    """What drift is measured on: kept rows by value, and by length in characters."""
    by_name = {}
    for name in COMPARED:
        column = found.mixes[name]
        if column.after:
            unknown = {"unknown": column.unknown_after} if column.unknown_after else {}
            by_name[name] = {**column.after, **unknown}
    bins = found.lengths["characters"].histogram
    by_name["length"] = {
        f"from {edge:,.0f} characters": rows
        for edge, rows in zip(bins.edges, bins.after, strict=False)
        if rows
    }
    return by_name


def _previous(previous: Audit, found: Audit, config: AuditConfig) -> Previous:
    drift = compare(
        distributions(previous), distributions(found), watch_psi=config.watch_psi, max_psi=config.max_psi
    )
    return Previous(version=previous.version, kept=previous.totals.kept, drift=drift)


def _lengths(rows: Rows, max_length: int) -> dict[str, Lengths]:
    """Characters and turns, and tokens where they were counted."""
    units = ["characters", "turns"]
    if "tokens" in rows.all and rows.before["tokens"].notna().any():
        units.append("tokens")
    found = {}
    for unit in units:
        kept = rows.after[unit].dropna()
        quantiles = {name: float(kept.quantile(q)) for name, q in _QUANTILES.items()} if len(kept) else {}
        limit = max_length if unit == "tokens" else None
        found[unit] = Lengths(
            unit=unit,
            histogram=histogram(rows.before[unit], rows.after[unit], EDGES[unit]),
            quantiles=quantiles,
            limit=limit,
            over_limit=None if limit is None else Share.of_rows(int((kept > limit).sum()), len(kept)),
        )
    return found


def _mixed(language: "pd.Series[str]") -> Share:
    """Of the rows with a known language; `ja-en` is a mixed one."""
    known = language.dropna()
    return Share.of_rows(int(known.str.contains("-", regex=False).sum()), len(known))


def _synthetic(rows: pd.DataFrame) -> Share:
    return Share.of_rows(int((rows["origin"] == "synthetic").sum()), len(rows))
