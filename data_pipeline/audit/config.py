"""What the audit measures beside the rows themselves, and from where on a figure asks for action."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from common.chat import FamilyName
from common.config import Config

Share = Annotated[float, Field(ge=0, le=1)]


class AuditConfig(Config):
    """Section `audit` of the build's config. Every threshold belongs to a decision of the same report."""

    # With both, lengths are also given in tokens of the rendered conversation, and against max_length.
    tokenizer: str | None = None
    chat_template: FamilyName | None = None
    max_length: int = Field(2048, ge=1)
    # The audit.json to compare with; by default the one that the output held before.
    previous: Path | None = None

    max_duplicates: Share = 0.01
    max_synthetic_low_quality: Share = 0.05
    max_synthetic: Share = 0.3
    max_mixed_language: Share = 0.05
    max_multi_intent: Share = 0.1
    max_ambiguous: Share = 0.1
    max_label_noise: Share = 0.05
    # Krippendorff (2004): below .667 labels don't even support tentative conclusions.
    min_alpha: float = Field(0.667, ge=-1, le=1)
    max_over_length: Share = 0.01
    max_unjudged: Share = 0.5
    # Fewer rows of a topic than these in train: too few to learn from.
    min_topic_rows: int = Field(20, ge=0)
    # Population stability index: the usual marks, 0.1 for a change to look at, 0.25 for another population.
    watch_psi: float = Field(0.1, gt=0)
    max_psi: float = Field(0.25, gt=0)

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.tokenizer is None) != (self.chat_template is None):
            raise ValueError("tokenizer and chat_template go together: give both, or neither")
        if self.watch_psi > self.max_psi:
            raise ValueError(f"watch_psi {self.watch_psi:g} is above max_psi {self.max_psi:g}")
        return self
