"""What `columns.parquet`, the frame of columns beside a dataset, must look like."""

import json
from collections.abc import Mapping
from typing import Any, get_args

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from data_pipeline.quality.config import COMPONENTS
from data_pipeline.schema import (
    REJECTED,
    Difficulty,
    InvalidRows,
    Level,
    MeasuredBy,
    Origin,
    Problem,
    Sentiment,
)


def check_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame of columns with every column in its type (null is NA). Raises InvalidRows."""
    try:
        return frame_schema().validate(frame, lazy=True)
    except SchemaErrors as error:
        raise InvalidRows(_problems(frame, error.failure_cases)) from None


def _problems(frame: pd.DataFrame, cases: pd.DataFrame) -> list[Problem]:
    """pandera's list of failures, without the failing values.

    Rows go by the failures' index: pandera's own `drop_invalid_rows` lets bad ones through (issue 1830).
    """
    ids = frame["id"].dropna() if "id" in frame and frame.index.is_unique else {}
    found: dict[Problem, None] = {}
    for case in cases.itertuples():
        row = None if pd.isna(case.index) else str(ids.get(case.index, f"row {case.index}"))
        if str(case.check) in ("column_in_schema", "column_in_dataframe"):
            column = str(case.failure_case)
        else:
            # A rule over several columns fails once for each of them.
            column = "row" if case.schema_context == "DataFrameSchema" else str(case.column)
        found[Problem(row, column, str(case.check))] = None
    return list(found)


def frame_schema() -> pa.DataFrameSchema:
    """One row for each conversation that could be read; no other columns than these.

    `group` (what may not be in two splits) and `tokens` (of the rendered conversation) may be left out.
    """
    text, maybe = pa.Column("str"), pa.Column("str", nullable=True)
    share = pa.Column("Float64", pa.Check.in_range(0, 1), nullable=True)
    flag = pa.Column("boolean", nullable=True)
    return pa.DataFrameSchema(
        {
            **{name: text for name in ("id", "source", "type")},
            "origin": _one_of(Origin, nullable=False),
            "outcome": pa.Column("str", pa.Check.str_matches(r"^[a-z0-9][a-z0-9_]*$")),
            "level": _one_of(Level),
            **{name: maybe for name in ("reason", "language", "topic", "label", "cluster")},
            "characters": pa.Column("Int64", pa.Check.ge(0)),
            "turns": pa.Column("Int64", pa.Check.ge(1)),
            "difficulty": _one_of(Difficulty),
            "sentiment": _one_of(Sentiment),
            **{name: flag for name in ("multi_intent", "ambiguous", "label_noise")},
            **{name: share for name in ("score", *COMPONENTS)},
            "coherence_by": _one_of(MeasuredBy),
            "factuality_by": _one_of(MeasuredBy),
            "labels": pa.Column("str", _json("a list of labels", _is_labels), nullable=True),
            "flags": pa.Column("str", _json("a list of flags", _is_flags)),
            "pii": pa.Column("str", _json("counts by type", _is_counts)),
            "group": pa.Column("str", nullable=True, required=False),
            "tokens": pa.Column("Int64", pa.Check.ge(1), nullable=True, required=False),
        },
        checks=[
            pa.Check(_reason_if_rejected, name="rejected rows, and no others, have a level and a reason"),
            pa.Check(_unique_if_kept, name="kept rows have ids of their own"),
        ],
        coerce=True,
        strict=True,
    )


def _one_of(names: Any, *, nullable: bool = True) -> pa.Column:
    return pa.Column("str", pa.Check.isin(list(get_args(names))), nullable=nullable)


def _json(what: str, holds: Any) -> pa.Check:
    def is_sound(text: str) -> bool:
        try:
            return bool(holds(json.loads(text)))
        except (ValueError, TypeError, RecursionError):
            return False

    return pa.Check(is_sound, element_wise=True, name=f"JSON: {what}")


def _is_labels(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(label, dict) and isinstance(label.get("by"), str) and isinstance(label.get("label"), str)
        for label in value
    )


def _is_flags(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(flag, str) for flag in value)


def _is_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(type(count) is int and count > 0 for count in value.values())


def _reason_if_rejected(frame: pd.DataFrame) -> "pd.Series[bool]":
    rejected = frame["outcome"] == REJECTED
    return (frame["reason"].notna() == rejected) & (frame["level"].notna() == rejected)


def _unique_if_kept(frame: pd.DataFrame) -> "pd.Series[bool]":
    kept = frame["outcome"] != REJECTED
    return ~(kept & frame["id"].where(kept).duplicated(keep=False))
