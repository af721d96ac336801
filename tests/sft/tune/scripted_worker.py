"""A worker of a search whose trials take the given time and train nothing.

python -m tests.sft.tune.scripted_worker TUNE_CONFIG SECONDS
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from common.config import load
from sft.config import TrainConfig
from sft.tune.config import TuneConfig
from sft.tune.results import write_study
from sft.tune.search import search
from sft.tune.trial import Evaluation
from tests.sft.tune.small_studies import scripted, study_of

if __name__ == "__main__":
    config, seconds = load(TuneConfig, Path(sys.argv[1])), float(sys.argv[2])

    def train(settings: TrainConfig, evaluated: Callable[[Evaluation], None]) -> None:
        time.sleep(seconds)
        scripted(settings, evaluated)

    study = study_of(config)
    search(config, study, train)
    write_study(config, study, load(TrainConfig, config.config))
