"""Config of `python -m data_pipeline.sample`."""

from pathlib import Path

from pydantic import Field

from common import seeds
from common.config import Config
from data_pipeline.sample.generate import MOST_TICKETS


class SampleConfig(Config):
    output: Path
    seed: int = Field(default=seeds.SYNTHETIC, ge=0)
    tickets: int = Field(default=1600, ge=1, le=MOST_TICKETS)
    unseen_tickets: int = Field(default=150, ge=0, le=MOST_TICKETS)
    duplicate_rate: float = Field(default=0.03, ge=0, le=0.5)
    internal_note_rate: float = Field(default=0.25, ge=0, le=1)
