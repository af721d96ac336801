"""Which of the cleaned rows make the dataset: level 2's threshold, level 3's sample, the split.

`choose` is a function of a frame with a row for each row of `clean/`, in order. Each step marks the rows that
it leaves out with level, reason and detail; the next ones look at those that are left.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from common.provenance import digest
from data_pipeline.config import BuildConfig
from data_pipeline.diversity.config import DiversityConfig, DuplicateConfig, SamplingConfig, TopicConfig
from data_pipeline.diversity.label_noise import find_label_noise
from data_pipeline.diversity.topics import TextsOf, complete_topics
from data_pipeline.schema import REJECTED, Level
from data_pipeline.split import SplitReport, SplitRow, split_rows

if TYPE_CHECKING:
    import pandas as pd

    from data_pipeline.diversity.duplicates import SemanticDuplicate

Vectors = NDArray[np.float16]
_BELOW_SHARE = "below_keep_share"
_TOO_SYNTHETIC = "over_synthetic_share"


def choose(
    frame: "pd.DataFrame", vectors: Vectors, texts_of: TextsOf, config: BuildConfig, rows_read: int
) -> SplitReport:
    """Decide on every row of `frame`, in place.

    Args:
        frame: columns id, digest, keys, holdout, origin, language, score, score_reason, critical and the
            tags; level, reason and detail of those that level 1 has left out; index from 0. Gets outcome and
            group, and topics where rows have none.
        vectors: of the rows without a reason, in order; shape (rows, dim), dim 0 without an encoder.
        texts_of: what the customers say in the rows at the given places of the frame.
        rows_read: of the sources, holdouts not counted: what shares are of.
    """
    place = np.full(len(frame), -1)
    place[np.flatnonzero(frame["reason"].isna())] = np.arange(len(vectors))
    frame["place"] = place
    diversity = config.level3 or DiversityConfig()
    _topics(frame, vectors, texts_of, diversity.topic)
    frame["critical"] |= frame["topic"].isin(diversity.critical)
    _label_noise(frame, vectors)
    if config.level2 is not None:
        _level2(frame, config, rows_read)
    if config.level3 is not None:
        _level3(frame, vectors, config, rows_read)
    return _split(frame, config)


def open_rows(frame: "pd.DataFrame") -> "pd.Series[bool]":
    """The rows that no level has left out, without those of holdouts."""
    return frame["reason"].isna() & frame["holdout"].isna()


def leave_out(frame: "pd.DataFrame", rows: Any, level: Level, reason: Any, detail: Any) -> None:
    """Mark `rows` (an index) as left out."""
    frame.loc[rows, ["level", "reason", "detail"]] = np.array(
        [[level] * len(rows), np.broadcast_to(reason, len(rows)), np.broadcast_to(detail, len(rows))],
        dtype=object,
    ).T


def _level2(frame: "pd.DataFrame", config: BuildConfig, rows_read: int) -> None:
    assert config.level2 is not None
    rows = frame[open_rows(frame)]
    faulty = rows[rows["score_reason"].notna()]
    leave_out(frame, faulty.index, "level2", faulty["score_reason"], None)
    if config.level2.keep_share is None:
        return
    rows = frame[open_rows(frame)]
    budget = round(config.level2.keep_share * rows_read)
    # What was not measured at all stands last: nothing speaks for it.
    ranked = rows.sort_values(["score", "digest"], ascending=[False, True], na_position="last")
    below = ranked.iloc[budget:]
    detail = f"not among the best {config.level2.keep_share:.0%} of all rows"
    leave_out(frame, below.index, "level2", _BELOW_SHARE, detail)


def _topics(frame: "pd.DataFrame", vectors: Vectors, texts_of: TextsOf, config: TopicConfig) -> None:
    """Complete the topics of the rows that are left, holdouts too."""
    rows = frame[frame["reason"].isna()]
    if not vectors.shape[1] or rows.empty:
        return
    places = rows.index.to_numpy()
    found = complete_topics(
        rows["topic"].tolist(),
        (rows["digest"] + "/" + rows["id"]).tolist(),
        vectors[rows["place"].to_numpy()],
        lambda chosen: texts_of(places[list(chosen)].tolist()),
        config,
    )
    frame.loc[rows.index, "topic"] = np.array(found.names, dtype=object)


def _label_noise(frame: "pd.DataFrame", vectors: Vectors) -> None:
    """Mark rows whose label is probably wrong; of rows without one, nothing is said."""
    frame["label_noise"] = None
    labels = frame["labels"].map(lambda found: found[0]["label"] if found else None)
    rows = frame[(frame["place"] >= 0) & labels.notna()]
    if vectors.shape[1] and len(rows):
        keys = (rows["digest"] + "/" + rows["id"]).tolist()
        found = find_label_noise(labels[rows.index].tolist(), keys, vectors[rows["place"].to_numpy()])
        frame.loc[rows.index, "label_noise"] = np.array(found.suspected, dtype=object)


def _level3(frame: "pd.DataFrame", vectors: Vectors, config: BuildConfig, rows_read: int) -> None:
    from data_pipeline.diversity.sampling import select

    assert config.level3 is not None
    if vectors.shape[1]:
        _drop_repeated_meanings(frame, vectors, config.level3.duplicates)
    _cap_synthetic(frame, config.level3.sampling, rows_read)
    rows = frame[open_rows(frame)]
    chosen = select(rows.assign(id=rows["digest"] + "/" + rows["id"]), config.level3.sampling, rows_read)
    out = chosen[~chosen["kept"]]
    leave_out(frame, out.index, "level3", out["reason"], out["detail"])


def _drop_repeated_meanings(frame: "pd.DataFrame", vectors: Vectors, config: DuplicateConfig) -> None:
    """Leave out what means the same as a row of a holdout, and then what does as a better row."""
    from data_pipeline.diversity.duplicates import semantic_duplicates, semantic_repeats

    held = frame[frame["reason"].isna() & frame["holdout"].notna()]
    rows = frame[open_rows(frame)]
    found = semantic_repeats(_languages(rows), _vectors(rows, vectors), _vectors(held, vectors), config)
    _leave_out_repeats(frame, rows, held, found)
    rows = frame[open_rows(frame)]
    found = semantic_duplicates(
        list(rows["digest"] + "/" + rows["id"]),
        [None if np.isnan(score) else score for score in rows["score"].astype(float)],
        _languages(rows),
        _vectors(rows, vectors),
        config,
    )
    _leave_out_repeats(frame, rows, rows, found)


def _languages(rows: "pd.DataFrame") -> list[str | None]:
    languages: list[str | None] = (
        rows["language"].astype(object).where(rows["language"].notna(), None).tolist()
    )
    return languages


def _vectors(rows: "pd.DataFrame", vectors: Vectors) -> Vectors:
    return vectors[rows["place"].to_numpy()]


def _leave_out_repeats(
    frame: "pd.DataFrame", rows: "pd.DataFrame", kept: "pd.DataFrame", found: "Sequence[SemanticDuplicate]"
) -> None:
    ids = kept["id"].tolist()
    details = [f"means the same as {ids[pair.of]} (cosine {pair.cosine:.3f})" for pair in found]
    leave_out(frame, rows.index[[pair.row for pair in found]], "level3", "semantic_duplicate", details)


def _cap_synthetic(frame: "pd.DataFrame", config: SamplingConfig, rows_read: int) -> None:
    """Leave out the worst synthetic rows, so that of the rows sampled no larger share can be synthetic."""
    rows = frame[open_rows(frame)]
    made_up = rows[rows["origin"] == "synthetic"]
    real, share = len(rows) - len(made_up), config.max_synthetic_share
    if not real or share == 1:
        return
    room = math.floor(share * min(config.budget(rows_read), real / (1 - share)) + 1e-9)
    ranked = made_up.sort_values(["score", "digest"], ascending=[False, True], na_position="last")
    detail = f"more than {share:.0%} of the rows could be synthetic"
    leave_out(frame, ranked.index[room:], "level3", _TOO_SYNTHETIC, detail)


def _split(frame: "pd.DataFrame", config: BuildConfig) -> SplitReport:
    kept = frame[frame["reason"].isna()]
    rows = [
        SplitRow(
            row.id, [*row.keys_, f"text:{row.digest}"], row.topic, row.holdout, row.origin == "synthetic"
        )
        for row in kept[["id", "keys", "digest", "topic", "holdout", "origin"]]
        .astype(object)
        .where(kept.notna(), None)
        .rename(columns={"keys": "keys_"})
        .itertuples(index=False)
    ]
    splits = split_rows(rows, config.split, config.split_seed)
    frame["outcome"] = REJECTED
    frame.loc[kept.index, "outcome"] = splits.parts
    frame["group"] = None
    frame.loc[kept.index, "group"] = [digest(group)[:12] for group in splits.groups]
    return splits.report
