"""What `python -m data_pipeline.synthesise` can be told."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from common import seeds
from common.config import ArtifactPath, Config, InputPath
from common.generation import Sampling
from common.generation.budget import BudgetConfig
from common.judge.config import JudgeConfig
from data_pipeline.level1.config import LanguageCode
from data_pipeline.pii.config import PiiConfig
from data_pipeline.sources.config import DataPath

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Difficulty = Literal["easy", "medium", "hard"]


class ModelConfig(Config):
    """The model that writes, behind any OpenAI-compatible URL."""

    url: Text
    """Ends in /v1."""
    model: Text
    api_key_env: Text | None = None
    """The environment variable that holds the key; without it, none is sent."""
    timeout: float = Field(120.0, gt=0, exclude=True)
    """Seconds for one attempt."""
    max_retries: int = Field(4, ge=0, exclude=True)
    """After a time-out, a lost connection or a status 408, 409, 429 or 5xx."""
    concurrency: int = Field(8, ge=1, exclude=True)
    cache: Path = Field(Path("out/cache/synthesise"), exclude=True)
    """The folder that keeps the replies, so that none is paid for twice."""
    json_schema: bool = False
    """Asks the server to force the form of the replies. Not every server can; one that can't may refuse."""
    budget: BudgetConfig = Field(BudgetConfig(), exclude=True)
    max_new_tokens: int = Field(800, gt=0)
    temperature: float = Field(0.8, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)

    def sampling(self, seed: int) -> Sampling:
        """How the replies are drawn. The seed is what lets the cache keep them."""
        return Sampling(
            max_new_tokens=self.max_new_tokens, temperature=self.temperature, top_p=self.top_p, seed=seed
        )


class Checks(Config):
    """When a conversation is kept. `data_pipeline.synthetic.checks` says what each check looks at."""

    # Of the five checks, how many a conversation has to pass: with 4, one may fail or not be measured. Form
    # and personal data have to be passed in any case.
    min_checks: int = Field(5, ge=2, le=5)
    # Form: messages, and characters of one (Chinese, Japanese, Korean ones count double).
    max_messages: int = Field(6, ge=2)
    max_characters: int = Field(1500, ge=1)
    # Answers the question: a judge's marks, 3/4 being a 4 of 5; or the score's coherence. Below .4 are
    # 5 % of the good conversations of seed 11 of the sample company, 81 % of the questions from another trade
    # and 75 % of the answers to other questions.
    min_judged: Share = 0.75
    min_coherence: Share = 0.4
    # Original: largest share of common character 5-grams with another conversation, and largest share of long
    # answers' 5-grams that the passages hold.
    max_similarity: Share = 0.6
    max_copied: Share = 0.8


class SynthesiseConfig(Config):
    """Config of `data_pipeline.synthesise`."""

    output: Path
    # The folder of Markdown articles.
    knowledge_base: InputPath
    # One sentence for the model: who the company is and what it sells.
    company: Text
    model: ModelConfig
    # How many conversations are asked for. More of them leave those that were asked for before as they are.
    conversations: int = Field(ge=1)
    languages: dict[LanguageCode, Text] = Field(default_factory=lambda: {"en": "English"}, min_length=1)
    personas: tuple[Text, ...] = Field(
        (
            "has never bought here before and does not know the company's words for things",
            "has bought here for years and expects to be known",
            "buys a present for somebody else and knows little about it",
            "is in a hurry and writes on a telephone, in few words",
            "compares carefully and wants the exact terms",
        ),
        min_length=1,
    )
    tones: tuple[Text, ...] = Field(("friendly", "matter-of-fact", "worried", "annoyed"), min_length=1)
    difficulties: tuple[Difficulty, ...] = Field(("easy", "medium", "hard"), min_length=1)
    seed: int = Field(seeds.SYNTHETIC, ge=0)

    checks: Checks = Checks()
    # Existing data, as rows with `messages`: what is nearly the same is rejected.
    compare_with: tuple[DataPath, ...] = ()
    # `python -m common.encoder` writes it. A judge says more surely whether an answer answers the question.
    encoder: ArtifactPath | None = None
    judge: JudgeConfig | None = None
    # What counts as personal data; a conversation with any is rejected.
    pii: PiiConfig = PiiConfig()
    # A larger share of the requests without a reply fails the run; what was paid for is kept for the next.
    max_failed_share: Share = 0.05

    @model_validator(mode="after")
    def _can_pass_the_checks(self) -> Self:
        if self.checks.min_checks == 5 and self.encoder is None and self.judge is None:
            raise ValueError(
                "nothing can pass checks.min_checks = 5: whether answers answer the question is measured by "
                "a judge or an encoder; give one, or set min_checks to 4"
            )
        return self
