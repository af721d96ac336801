"""Who is in which split, and what is in more than one."""

import pandas as pd

from data_pipeline.audit.counting import Rows, value_counts
from data_pipeline.audit.model import Leak, Splits
from data_pipeline.config import SPLITS
from data_pipeline.schema import REJECTED

_SHOWN = 5


def splits(rows: Rows) -> Splits:
    """Rows and topics of every split, and leaks between them."""
    kept = rows.all[rows.all["outcome"] != REJECTED]
    outcomes = value_counts(kept["outcome"])
    holdouts = sorted(set(outcomes) - set(SPLITS))
    counted = pd.crosstab(rows.after["topic"], rows.after["outcome"]).reindex(
        columns=list(SPLITS), fill_value=0
    )
    topics = {
        topic: {split: int(counted.at[topic, split]) for split in SPLITS}
        for topic in value_counts(rows.after["topic"])
    }
    missing = {topic: [split for split in SPLITS if not found[split]] for topic, found in topics.items()}
    return Splits(
        rows={name: outcomes.get(name, 0) for name in (*SPLITS, *holdouts)},
        topics=topics,
        missing_topics={topic: names for topic, names in missing.items() if names},
        leaks=[
            _leak("ids", kept, "id"),
            _leak("groups (customer, conversation)", kept, "group"),
            _leak("near-duplicate clusters", kept, "cluster"),
        ],
    )


def _leak(what: str, kept: pd.DataFrame, column: str) -> Leak:
    """In two of train, val and test; or in a holdout and in train or val.

    A holdout may share with test: a customer of the holdout goes to test, so that no row is lost.
    """
    if column not in kept or kept[column].isna().all():
        return Leak(what=what, count=None, examples=[])
    places = kept.dropna(subset=[column])[[column, "outcome"]].drop_duplicates()
    in_split = places[places["outcome"].isin(SPLITS)][column]
    for_training = set(places.loc[places["outcome"].isin(["train", "val"]), column])
    held_out = set(places.loc[~places["outcome"].isin(SPLITS), column])
    leaked = sorted({*in_split[in_split.duplicated()], *(for_training & held_out)})
    return Leak(what=what, count=len(leaked), examples=[str(value) for value in leaked[:_SHOWN]])
