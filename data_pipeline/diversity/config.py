"""What Level 3 can be told."""

import math
from typing import Annotated, Literal

from pydantic import Field

from common import seeds
from common.config import Config

Share = Annotated[float, Field(ge=0, le=1)]
Clusters = Annotated[int, Field(ge=2, le=1000)]


class TopicConfig(Config):
    """Where a conversation's topic comes from: a field, its tags, or else its meaning."""

    # A field whose value is the topic itself, such as intent.
    field: str | None = None
    # Tag or label: topic. Of several tags of a row, the one that stands first here is taken.
    tags: dict[str, str] = Field(default_factory=dict)
    # Rows without a topic get that of the tagged rows they are like, if it is at least this likely.
    min_probability: float = Field(0.5, gt=0, le=1)
    # What is left falls into clusters; `auto` is the root of an eighth of their number, from 2 to 64.
    clusters: Literal["auto"] | Clusters = "auto"
    # Models are fitted on no more rows than these, so that memory does not grow with the tickets.
    fit_rows: int = Field(20_000, ge=100)
    seed: int = seeds.SAMPLER


class DuplicateConfig(Config):
    """Rows that mean the same as a better one."""

    # Cosine of two conversations' vectors. Lower finds more, and takes rows that only sound alike.
    threshold: float = Field(0.9, gt=0, le=1)
    # Only rows in these are compared, and rows whose language is not known. The embedded encoder is English:
    # in other scripts, what it cannot read looks the same to it.
    languages: tuple[str, ...] = ("en", "ja-en", "de", "es", "fr", "it", "nl", "pl", "pt", "sv")


class SamplingConfig(Config):
    """How many rows are kept, and how evenly they are spread over topics, difficulties and sentiments."""

    # Of all rows that were read, whatever the earlier levels left of them.
    keep_share: float = Field(0.25, gt=0, le=1)
    # 0: every cell (topic, difficulty, sentiment) has the same quota; 1: quotas as large as the cells are.
    balance: float = Field(0.75, ge=0, le=1)
    # No topic has a larger share of the rows kept, unless the others have too few to fill them up, or what
    # must not be lost (see below) has it.
    max_topic_share: float = Field(0.2, gt=0, le=1)
    # So many rows of each cell and of each topic are kept before larger ones get their quota.
    min_cell_rows: int = Field(2, ge=0)
    min_topic_rows: int = Field(20, ge=0)
    # So large a share of the rows kept is of negative sentiment, and is hard, if there are so many.
    min_negative_share: Share = 0.15
    min_hard_share: Share = 0.15
    # So large a share of the rows kept may be synthetic; the best of them stay.
    max_synthetic_share: Share = 0.3
    # Critical rows are kept first, up to this share of the rows kept.
    max_critical_share: float = Field(0.25, ge=0, le=1)
    seed: int = seeds.SAMPLER

    def budget(self, rows_read: int) -> int:
        """How many rows are kept, if so many are left."""
        return math.floor(self.keep_share * rows_read + 0.5)


class DiversityConfig(Config):
    """Level 3."""

    topic: TopicConfig = TopicConfig()
    # Tags, labels and topics of conversations that are kept first: escalation, legal, safety and the like.
    critical: tuple[str, ...] = ()
    duplicates: DuplicateConfig = DuplicateConfig()
    sampling: SamplingConfig = SamplingConfig()
