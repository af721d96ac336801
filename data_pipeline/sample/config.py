"""Config of `python -m data_pipeline.sample`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from common import seeds
from common.config import Config
from data_pipeline.sample.generate import MOST_TICKETS
from data_pipeline.sample.rates import Rates

Rows = Annotated[int, Field(ge=0, le=MOST_TICKETS)]


class SampleConfig(Config):
    """How many rows of each kind; the defaults are the frozen benchmark."""

    output: Path
    seed: int = Field(default=seeds.SYNTHETIC, ge=0)
    tickets: Annotated[int, Field(ge=1, le=MOST_TICKETS)] = 6000
    unseen_tickets: Rows = 300
    synthetic: Rows = 600
    preference_pairs: Rows = 2000
    unseen_preference_pairs: Rows = 400
    train_messages: Rows = 9600
    validation_messages: Rows = 1200
    test_messages: Rows = 1800
    train_guard: Rows = 3200
    validation_guard: Rows = 400
    test_guard: Rows = 800
    rates: Rates = Rates()
