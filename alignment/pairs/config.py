"""What `python -m alignment.pairs` can be told."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from common import seeds
from common.config import ArtifactPath, Config, InputPath
from data_pipeline.config import HoldoutName
from data_pipeline.level1.config import NearDuplicates
from data_pipeline.pii.config import PiiConfig


class PairsFile(Config):
    """A file of pairs: JSON Lines, also gzipped. Each row tells its format by its shape."""

    path: InputPath
    name: str | None = None
    """What rows carry as their source; the file's name where there is none."""

    @property
    def label(self) -> str:
        return self.name or self.path.name.split(".")[0]


class PairsConfig(Config):
    """Config of `alignment.pairs`."""

    output: Path
    sources: Annotated[list[PairsFile], Field(min_length=1)]
    holdouts: dict[HoldoutName, PairsFile] = Field(default_factory=dict)
    """Pairs for evaluation only, written to `<name>.jsonl`: nothing with their prompts is trained on."""
    system_prompt: str | None = None
    """In front of prompts that have none; the dataset's, so that the model sees what it was tuned on."""
    pii: PiiConfig | None = PiiConfig()
    """Null leaves personal data in: only for data that has none."""
    dataset: ArtifactPath | None = None
    """A dataset whose test split and holdouts no pair may come from."""
    near_duplicates: NearDuplicates = NearDuplicates()
    """When a prompt counts as one of those."""
    match_lengths: bool = False
    """Leave pairs out until the chosen reply is the longer one as often as not."""
    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    split_seed: int = seeds.DATA_SPLIT
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    """A larger share of the rows refused for a defect fails the run."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        labels = [file.label for file in self.sources]
        if twice := sorted({label for label in labels if labels.count(label) > 1}):
            raise ValueError(f"sources of one name: {', '.join(twice)}; give each a name of its own")
        return self
