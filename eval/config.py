"""The config of `python -m eval.report`."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from common import seeds
from common.chat import FamilyName
from common.config import Config, InputPath
from common.generation import Sampling
from common.models import Device, Dtype

Name = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,40}$")]

CONSTANT_REPLY = "constant reply"
"""What tables call the trivial baseline (no system can: its name holds a space)."""


class System(Config):
    """A model to evaluate: a base (a folder or a name on the hub), with or without a LoRA adapter."""

    name: Name
    model: str
    adapter: InputPath | None = None


class ReportConfig(Config):
    """One report: every system on every test set."""

    output: Path
    chat_template: FamilyName
    systems: Annotated[tuple[System, ...], Field(min_length=1)]
    baseline: Name
    """The system that all others are compared with."""

    test_sets: Annotated[dict[Name, InputPath], Field(min_length=1)]
    """JSONL files of rows {"id", "messages", "meta"}."""
    perplexity_only: tuple[Name, ...] = ()
    """Test sets that get no replies."""
    cluster_by: str = "group"
    """The field of `meta` whose rows belong together, such as those of one customer: intervals are over such
    clusters. A row without it stands for itself."""

    replies_per_set: Annotated[int, Field(ge=0)] = 100
    """How many of a test set's assistant turns are answered anew, each after the true conversation before it.
    They are drawn from all assistant turns: the last ones alone would mostly be goodbyes."""
    reply_seed: int = seeds.SAMPLER
    """Draws those turns, by hash: a row that is added moves no other."""
    sampling: Sampling = Sampling()
    sample_replies: Annotated[int, Field(ge=0)] = 20
    """How many of the replies report.md shows, over all test sets."""
    trivial_reply_from: InputPath | None = None
    """Training rows. Their most typical reply, given to everything, has a ROUGE-L that systems must beat."""

    batch_size: Annotated[int, Field(ge=1)] = 16
    dtype: Dtype = "auto"
    device: Device = "auto"
    bootstrap_samples: Annotated[int, Field(ge=100)] = 2000
    bootstrap_seed: int = seeds.BOOTSTRAP[0]

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [system.name for system in self.systems]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"systems: the name '{twice[0]}' is given twice")
        if self.baseline not in names:
            raise ValueError(f"baseline: '{self.baseline}' is none of the systems {', '.join(names)}")
        if unknown := [name for name in self.perplexity_only if name not in self.test_sets]:
            known = ", ".join(self.test_sets)
            raise ValueError(f"perplexity_only: '{unknown[0]}' is none of the test sets {known}")
        return self
