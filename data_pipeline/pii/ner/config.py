"""Config of `python -m data_pipeline.pii.train_ner`."""

from pathlib import Path

from pydantic import Field

from common import seeds
from common.config import Config, InputPath


class TrainNerConfig(Config):
    """How the project's own name detector is trained; the defaults are the shipped model's.

    Attributes:
        output: folder of the trained model; `data_pipeline.pii.ner.load_detector` reads it.
        public_data: folder with the public sets `btc`, `wnut17` and `wikigold`.
        generated: sentences made from the project's templates for one pass; a pass never repeats them.
        clean_share: share of the generated sentences that hold no personal data.
        public_repeats: how often the public sets' sentences are read in one pass.
        values_per_locale: names, places and addresses drawn from Faker for each locale.
        passes: how many passes; each one has sentences of its own.
        width: size of a token's vector in the network.
        outside_bias: subtracted from the score of "no personal data" when tags are chosen: above 0 finds more
            names and raises more false alarms.
    """

    output: Path
    public_data: InputPath
    generated: int = Field(default=45_000, ge=10)
    clean_share: float = Field(default=0.4, ge=0, le=1)
    public_repeats: int = Field(default=1, ge=0)
    values_per_locale: int = Field(default=300, ge=5)
    passes: int = Field(default=4, ge=1)
    batch_tokens: int = Field(default=2500, ge=100)
    learning_rate: float = Field(default=2e-3, gt=0)
    width: int = Field(default=96, ge=8)
    outside_bias: float = 0.0
    seed: int = Field(default=seeds.MODEL_INIT, ge=0)
    threads: int = Field(default=1, ge=1)
