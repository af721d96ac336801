"""The audit in a few lines for the terminal and for grep: counts, shares and labels, no text of a row."""

from collections.abc import Mapping

from data_pipeline.audit.decisions import percent
from data_pipeline.audit.model import Audit, Mix, Share

_VALUES = 12


def log_lines(audit: Audit) -> list[str]:
    """`[DATA_AUDIT] key=value` and `[DECISION] name=verdict reason="..."` lines."""
    facts = [
        f"dataset={_word(audit.dataset)} version={audit.version}",
        _examples(audit),
        "funnel=" + ">".join(_share(stage.rows) for stage in audit.funnel),
        f"label_distribution={_distribution(audit.mixes['label'])}",
        f"topic_distribution={_distribution(audit.mixes['topic'])}",
        f"language_distribution={_distribution(audit.mixes['language'])}",
        f"duplicate_rate={_share(audit.duplicates.rate)} exact={_share(audit.duplicates.exact)}"
        f" near={_share(audit.duplicates.near)} semantic={_share(audit.duplicates.semantic)}",
        f"jp_en_mixed={_jp_en(audit)}",
        f"multi_intent_estimate={_share(audit.multi_intent)}",
        f"ambiguous_estimate={_share(audit.ambiguous)}",
        f"annotator_agreement={_agreement(audit)}",
        f"label_noise_estimate={_share(audit.label_noise)}",
        f"synthetic_low_quality_estimate={_share(audit.synthetic_low_quality)}",
        f"rows_with_pii={_share(audit.pii_rows)}",
        f"over_max_length={_over_length(audit)}",
        f"drift={_drift(audit)}",
    ]
    made = [f'{d.name}={d.verdict} reason="{_quoted(d.reason)}"' for d in audit.decisions]
    return [f"[DATA_AUDIT] {fact}" for fact in facts] + [f"[DECISION] {decision}" for decision in made]


def _examples(audit: Audit) -> str:
    origin = audit.mixes["origin"].before
    kb = f" kb={origin['kb']}" if "kb" in origin else ""
    production, synthetic = origin.get("ticket", 0), origin.get("synthetic", 0)
    return f"total_examples={audit.totals.conversations} production={production} synthetic={synthetic}{kb}"


def _distribution(mix: Mix) -> str:
    """In percent of the rows that have a value."""
    known = sum(mix.before.values())
    if not known:
        return "not_measured"
    shown = list(mix.before.items())[:_VALUES]
    rest = known - sum(rows for _, rows in shown)
    values: Mapping[str, int] = {**dict(shown), **({"others": rest} if rest else {})}
    return "{" + ", ".join(f"{_word(value)}:{100 * rows / known:.1f}" for value, rows in values.items()) + "}"


def _jp_en(audit: Audit) -> str:
    language = audit.mixes["language"].before
    return _share(Share.of_rows(language.get("ja-en", 0), sum(language.values())))


def _agreement(audit: Audit) -> str:
    found = audit.agreement
    if found is None:
        return "not_measured"
    alpha = "undefined" if found.alpha is None else f"{found.alpha:.3f}"
    return f"{percent(found.percent)} krippendorff_alpha={alpha} rows={found.rows}"


def _over_length(audit: Audit) -> str:
    tokens = audit.lengths.get("tokens")
    return "not_measured" if tokens is None or tokens.over_limit is None else _share(tokens.over_limit)


def _drift(audit: Audit) -> str:
    if audit.previous is None:
        return "not_measured"
    found = ", ".join(f"{drift.name}:{drift.psi:.3f}" for drift in audit.previous.drift)
    return f"{{{found}}} against={audit.previous.version}"


def _share(share: Share) -> str:
    return "not_measured" if share.value is None else percent(share.value)


def _word(text: str) -> str:
    return "_".join(text.split())


def _quoted(text: str) -> str:
    """A reason may name topics, and those come from the rows."""
    return " ".join(text.replace('"', "'").split())
