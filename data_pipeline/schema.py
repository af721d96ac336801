"""What a row of the dataset must look like; `audit.columns` says it of the frame of columns beside it.

`check_line` is called on every line before it is written, `check_frame` on `columns.parquet` as a whole. Both
name the row's id and the column that is wrong, and never what stands in it: that may be a customer's text.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from common.chat.messages import normalise

Origin = Literal["ticket", "synthetic", "kb"]
Level = Literal["level1", "level2", "level3"]
Difficulty = Literal["easy", "medium", "hard"]
Sentiment = Literal["negative", "neutral", "positive"]
MeasuredBy = Literal["judge", "embedding", "rules"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Id = Annotated[str, Field(min_length=1)]

REJECTED = "rejected"


@dataclass(frozen=True)
class Problem:
    """A value that may not be there: of which row (None when it is the frame's), where, and the rule."""

    id: str | None
    column: str
    rule: str

    def __str__(self) -> str:
        return f"{self.id or 'the frame'}: {self.column}: {self.rule}"


class InvalidRows(ValueError):
    """Rows that break the schema, with all `problems`; the text names the first five."""

    def __init__(self, problems: list[Problem]) -> None:
        more = f"; and {len(problems) - 5:,} more" if len(problems) > 5 else ""
        super().__init__("; ".join(map(str, problems[:5])) + more)
        self.problems = problems


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class SourceRef(_Model):
    """Where a row came from; `line` is counted from 1."""

    name: Id
    file: Id
    line: int = Field(ge=1)


class AnnotatorLabel(_Model):
    """Who called it what, and when (ISO 8601, where it is known)."""

    by: Id
    label: Id
    at: str | None = None


class Quality(_Model):
    """Level 2's score and what it is made of, 0 to 1 each; null is 'not measured'."""

    score: Share | None
    resolution: Share | None = None
    csat: Share | None = None
    coherence: Share | None = None
    coherence_by: MeasuredBy | None = None
    factuality: Share | None = None
    factuality_by: MeasuredBy | None = None
    politeness: Share | None = None
    originality: Share | None = None
    flags: list[Id] = Field(default_factory=list)


class Meta(_Model):
    """What a row says beside its messages. `quality` is null for rows of a holdout."""

    source: SourceRef
    group: Id
    origin: Origin
    language: Id | None
    fields: dict[str, Any]
    notes_removed: Count
    cut: list[dict[str, Any]]
    pii: dict[Id, Annotated[int, Field(ge=1)]]
    quality: Quality | None = None
    topic: Id | None = None
    difficulty: Difficulty | None = None
    sentiment: Sentiment | None = None
    cluster: Id | None = None
    labels: list[AnnotatorLabel] = Field(default_factory=list)


class Row(_Model):
    """One conversation of `train.jsonl`, `val.jsonl`, `test.jsonl` or a holdout."""

    id: Id
    messages: list[dict[str, Any]]
    meta: Meta

    @model_validator(mode="after")
    def _can_be_trained_on(self) -> "Row":
        # MessageError's text names no content.
        if normalise(self.messages, training=True) != self.messages:
            raise ValueError("messages are not in the form that the templates expect")
        if self.messages[-1]["role"] != "assistant":
            raise ValueError("what follows the last reply should have been cut off")
        return self


def check_line(line: bytes) -> Row:
    """Read one line of a dataset file. Raises InvalidRows."""
    try:
        return Row.model_validate_json(line)
    except ValidationError as error:
        row_id = _id_of(line)
        problems = [
            Problem(
                row_id, ".".join(map(str, found["loc"])) or "row", found["msg"].removeprefix("Value error, ")
            )
            for found in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise InvalidRows(problems) from None


def _id_of(line: bytes) -> str:
    try:
        return str(json.loads(line)["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "a row without an id"
