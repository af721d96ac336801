"""What `python -m data_pipeline.build` can be told."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from common import seeds
from common.config import ArtifactPath, Config
from common.judge import JudgeConfig
from data_pipeline.audit.config import AuditConfig
from data_pipeline.diversity.config import DiversityConfig
from data_pipeline.executors.config import ExecutorConfig, LocalConfig
from data_pipeline.level1.config import Level1
from data_pipeline.pii.config import PiiConfig
from data_pipeline.quality.config import QualityConfig
from data_pipeline.sources.config import ArticlesPath, Source, Text
from data_pipeline.steps.config import MentionsConfig

SPLITS = ("train", "val", "test")


def _not_taken(name: str) -> str:
    if name in (*SPLITS, "rejected"):
        raise ValueError(f"'{name}' is taken: choose another name for the holdout")
    return name


HoldoutName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,59}$"), AfterValidator(_not_taken)
]


class Split(Config):
    """Share of the groups of rows that goes to each split; together 1."""

    train: float = Field(0.8, gt=0, le=1)
    val: float = Field(0.1, ge=0, lt=1)
    test: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _adds_up(self) -> "Split":
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, val and test add up to {total:g}, not to 1")
        return self


class BuildConfig(Config):
    """Config of `data_pipeline.build`."""

    output: Path
    sources: list[Source] = Field(min_length=1)
    # Rows for evaluation only: cleaned and scrubbed in the same way, written to `<name>.jsonl`, never in the
    # splits. No level leaves any of them out, but for repetitions.
    holdouts: dict[HoldoutName, Source] = Field(default_factory=dict)
    system_prompt: Text
    # A row's own system message stays, or the prompt above takes its place.
    replace_system_prompt: bool = False
    # Names and URLs that are written in many ways, and the one way to write them.
    mentions: MentionsConfig | None = None
    # Null leaves personal data in: only for data that has none.
    pii: PiiConfig | None = PiiConfig()

    # Null leaves a level out.
    level1: Level1 | None = Level1()
    level2: QualityConfig | None = QualityConfig()
    level3: DiversityConfig | None = DiversityConfig()
    # What answers are checked against in level 2: the articles' folder.
    knowledge_base: ArticlesPath | None = None
    # `python -m common.encoder` writes it; without it, level 2 has no coherence, level 3 finds no topics.
    encoder: ArtifactPath | None = None
    judge: JudgeConfig | None = None

    split: Split = Split()
    split_seed: int = seeds.DATA_SPLIT
    audit: AuditConfig = AuditConfig()
    # A larger share of the rows rejected for a defect (a repeated row has none) fails the run.
    max_rejected_share: float = Field(0.2, ge=0, le=1)
    max_line_bytes: int = Field(1_000_000, ge=1)
    # Left out of the recipe: it changes the speed, never the content.
    executor: ExecutorConfig = Field(LocalConfig(), exclude=True)

    @model_validator(mode="after")
    def _output_is_no_input(self) -> "BuildConfig":
        output = self.output.absolute()
        for source in (*self.sources, *self.holdouts.values()):
            path = getattr(source, "path", None)
            if path is not None and path.is_dir() and path.absolute() in output.parents:
                raise ValueError(f"output '{self.output}' lies in the source '{path}': it would be read")
        return self
