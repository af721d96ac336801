"""What the figures ask for, by the thresholds of the config. A figure that is missing decides nothing."""

from collections.abc import Mapping

from data_pipeline.audit.config import AuditConfig
from data_pipeline.audit.model import Agreement, Audit, Counts, Decision, Previous, Share, Splits

_NAMED = 5


def percent(value: float) -> str:
    """`9.6%`, `5%`."""
    return f"{100 * value:.1f}".removesuffix(".0") + "%"


def above(name: str, what: str, share: Share | None, limit: float) -> Decision:
    """Yes when a share is above its threshold."""
    if share is None or share.value is None:
        return Decision(name=name, verdict="not_measured", reason=f"{what} not measured")
    is_above = share.value > limit
    reason = (
        f"{what} {percent(share.value)} {'above' if is_above else 'within'} the {percent(limit)} threshold"
    )
    return Decision(name=name, verdict="yes" if is_above else "no", reason=reason)


def revise_guidelines(agreement: Agreement | None, config: AuditConfig) -> Decision:
    """Annotators who disagree about most labels were told too little."""
    name = "revise_labelling_guidelines"
    if agreement is None or agreement.alpha is None:
        why = "no row with labels of two people" if agreement is None else "only one label in use"
        return Decision(name=name, verdict="not_measured", reason=f"agreement not measured: {why}")
    is_low = agreement.alpha < config.min_alpha
    reason = f"alpha {agreement.alpha:.3f} {'below' if is_low else 'at or above'} {config.min_alpha:g}"
    return Decision(name=name, verdict="yes" if is_low else "no", reason=reason)


def collect_more(topics: Mapping[str, Counts], config: AuditConfig) -> Decision:
    """Topics with too few rows to learn from."""
    if not topics:
        return Decision(name="collect_rare_topics", verdict="not_measured", reason="topics not measured")
    rare = [topic for topic, rows in topics.items() if rows["train"] < config.min_topic_rows]
    what = f"fewer than {config.min_topic_rows} rows in train"
    if not rare:
        return Decision(name="collect_rare_topics", verdict="no", reason=f"no topic with {what}")
    return Decision(name="collect_rare_topics", verdict="yes", reason=f"{what}: {_named(rare)}")


def fix_leaks(splits: Splits) -> Decision:
    """One leak is too many."""
    found = [f"{leak.count:,} {leak.what}" for leak in splits.leaks if leak.count]
    missing = [leak.what for leak in splits.leaks if leak.count is None]
    if found:
        return Decision(name="fix_leaks", verdict="yes", reason=f"in several splits: {', '.join(found)}")
    reason = f"nothing in several splits; not measured: {', '.join(missing)}" if missing else "no leaks"
    return Decision(name="fix_leaks", verdict="no", reason=reason)


def review_drift(previous: Previous | None, config: AuditConfig) -> Decision:
    """Another population than last time: old figures of a model don't carry over."""
    if previous is None or not previous.drift:
        return Decision(
            name="review_drift", verdict="not_measured", reason="no previous version to compare with"
        )
    drifted = [d for d in previous.drift if d.verdict == "drifted"]
    if not drifted:
        return Decision(name="review_drift", verdict="no", reason=f"no PSI above {config.max_psi:g}")
    reason = ", ".join(f"{drift.name} PSI {drift.psi:.3f}" for drift in drifted)
    return Decision(name="review_drift", verdict="yes", reason=f"{reason} above {config.max_psi:g}")


def unjudged(found: Audit) -> Share | None:
    """Share of the rows with a coherence that no judge has given; None when it has none."""
    (coherence,) = (component for component in found.components if component.name == "coherence")
    measured = coherence.measured.count
    return Share.of_rows(measured - coherence.by.get("judge", 0), measured) if measured else None


def decisions(found: Audit, config: AuditConfig) -> list[Decision]:
    """All of them, for an audit that has everything else."""
    tokens = found.lengths["tokens"].over_limit if "tokens" in found.lengths else None
    over = f"share over {config.max_length:,} tokens"
    return [
        fix_leaks(found.splits),
        review_drift(found.previous, config),
        above("remove_duplicates", "duplicate rate", found.duplicates.rate, config.max_duplicates),
        above(
            "filter_synthetic",
            "low quality of synthetic rows",
            found.synthetic_low_quality,
            config.max_synthetic_low_quality,
        ),
        above("cap_synthetic", "synthetic share", found.synthetic_kept, config.max_synthetic),
        above("review_labels", "label noise", found.label_noise, config.max_label_noise),
        revise_guidelines(found.agreement, config),
        above("merge_overlapping_labels", "ambiguous share", found.ambiguous, config.max_ambiguous),
        above("label_second_intent", "multi-intent share", found.multi_intent, config.max_multi_intent),
        above(
            "evaluate_mixed_language",
            "share of mixed languages",
            found.mixed_language,
            config.max_mixed_language,
        ),
        collect_more(found.splits.topics, config),
        above("shorten_long_rows", over, tokens, config.max_over_length),
        above("configure_judge", "share scored without a judge", unjudged(found), config.max_unjudged),
    ]


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
