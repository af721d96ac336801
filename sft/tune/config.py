"""The config of `python -m sft.tune`."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from common import seeds
from common.config import Config, InputPath
from sft.tune.space import Space, check_values

PositiveInt = Annotated[int, Field(ge=1)]


def _database(url: str) -> str:
    if not re.match(r"[a-z][a-z0-9+_]*://", url):
        raise ValueError("should be an SQLAlchemy URL, e.g. sqlite:///out/optuna.db")
    if re.fullmatch(r"sqlite[a-z0-9+_]*://(/|/:memory:)?", url):
        raise ValueError(
            "a database in memory is no worker's but this one's: name a file, sqlite:///out/optuna.db"
        )
    return url


class TuneConfig(Config):
    """One search, which several workers may share."""

    config: InputPath
    """A config of sft.train: what is not searched is taken from it."""
    output: Path
    storage: Annotated[str, AfterValidator(_database)] = "sqlite:///out/optuna.db"
    """SQLAlchemy URL: SQLite for workers on one machine, PostgreSQL for several."""
    study: Annotated[str, Field(min_length=1)] = "sft"
    """The search's name in the database."""
    trials: PositiveInt = 20
    """Of all workers together: finished, stopped early, or failed."""
    max_steps: PositiveInt | None = None
    """Optimizer steps of a trial, where it should not be the training config's."""
    space: Annotated[Space, Field(min_length=1)]
    seed: int = seeds.SAMPLER

    @property
    def shown_storage(self) -> str:
        """The URL without its password."""
        return re.sub(r"(://[^:/@]*):[^/]*@", r"\1:***@", self.storage)

    @field_validator("space")
    @classmethod
    def _values(cls, space: Space) -> Space:
        return check_values(space)
