"""Which model judges, how it is asked, and what it may cost."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from common.config import Config
from common.generation import Sampling
from common.generation.budget import BudgetConfig

StructuredOutput = Literal["auto", "json_schema", "none"]


class JudgeConfig(Config):
    """A judge behind any OpenAI-compatible URL."""

    url: str
    """Ends in /v1."""
    model: str
    api_key_env: str | None = None
    """The environment variable that holds the key; without it, none is sent."""
    timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds for one attempt."""
    max_retries: Annotated[int, Field(ge=0)] = 4
    """After a time-out, a lost connection or a status 408, 409, 429 or 5xx."""
    concurrency: Annotated[int, Field(ge=1)] = 8
    cache: Path | None = Path("out/cache/judge")
    """The folder that keeps the judge's replies, so that none is paid for twice; null keeps none."""
    structured_output: StructuredOutput = "auto"
    """json_schema asks the server to force the form of a verdict, and takes nothing else for one; none asks
    for it in words; auto is json_schema until the server rejects that with status 400 or 422."""
    budget: BudgetConfig = BudgetConfig()
    max_new_tokens: Annotated[int, Field(gt=0)] = 512
    """A verdict takes about 60; a judge that thinks aloud needs more."""
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] = 0.0
    seed: int | None = 0
    """With a temperature, another seed is another draw: that shows whether a judge agrees with itself."""

    @property
    def sampling(self) -> Sampling:
        """How the judge's replies are drawn."""
        return Sampling(max_new_tokens=self.max_new_tokens, temperature=self.temperature, seed=self.seed)
