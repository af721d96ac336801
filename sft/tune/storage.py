"""The study in its database: made or found again, with heartbeats that tell of workers that were killed.

Imports Optuna: call it late.
"""

import random
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna import Study
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.pruners import MedianPruner
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from common.errors import UserError
from sft.tune.config import TuneConfig

HEARTBEAT = 30
"""Seconds between a running trial's signs of life."""
GRACE = 120
"""Seconds without one until another worker tries the trial again."""
_RETRIES = 3
_ATTEMPTS = 4
_PATIENCE = 60
"""Seconds that SQLite waits while others write."""

# A trial is compared with the median of the others at the same percentage of the run.
_STARTUP_TRIALS = 4
_WARMUP_PERCENT = 10


def open_study(config: TuneConfig, settings: dict[str, Any], *, fresh: bool = False) -> Study:
    """Return the study, which is made where there is none. `fresh` begins it anew.

    `settings` are plain values that decide a trial's loss, by name.

    Raises:
        UserError: there is no driver for the database; the study was begun with other settings; or `fresh` is
            asked for while trials are running.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)  # the heartbeats are said to be one
    storage = _connect(config)
    study = _find_or_make(config, storage)
    if fresh and study.trials:
        fail_stale_trials(study)
        if running := study.get_trials(states=(TrialState.RUNNING,)):
            raise UserError(
                f"{len(running)} trials of study '{config.study}' are running in other workers",
                f"stop those first; killed ones are noticed after {GRACE} s",
            )
        optuna.delete_study(study_name=config.study, storage=storage)
        study = _find_or_make(config, storage)
    _check_settings(config, study, settings)
    return study


def counts(trial: FrozenTrial) -> bool:
    """Whether it is one of the study's `trials`: not if its worker was killed, or it was one too many."""
    return trial.state != TrialState.FAIL or "reason" in trial.user_attrs


def finished(study: Study) -> list[FrozenTrial]:
    """The trials that are over, by number."""
    return [one for one in study.get_trials(deepcopy=False) if one.state.is_finished() and counts(one)]


def try_again(study: Study, trial: FrozenTrial) -> None:
    """Queue a failed trial's parameters."""
    RetryHeartbeatStaleTrialCallback(max_retry=_RETRIES)(study, trial)


@contextmanager
def database(config: TuneConfig) -> Iterator[None]:
    """Tell of a database that can't be used, now or no more, by UserError."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise UserError(
            f"can't use the database '{config.shown_storage}': {_first_line(error.__cause__ or error)}",
            "check the URL, and that it is running; the same command goes on where it was",
        ) from None


def _connect(config: TuneConfig) -> RDBStorage:
    try:
        url = make_url(config.storage)
        options: dict[str, Any] = {"pool_pre_ping": True}
        if url.get_backend_name() == "sqlite":
            options = {"connect_args": {"timeout": _PATIENCE}}
            if url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        return _storage(config.storage, options)
    except (ArgumentError, ImportError) as error:
        raise UserError(
            f"there is no driver for the database '{config.shown_storage}': {_first_line(error)}",
            'check the URL; for PostgreSQL: pip install "psycopg[binary]", and postgresql+psycopg://',
        ) from None
    except RuntimeError as error:  # its tables are those of another release of Optuna
        raise UserError(
            f"can't use the database '{config.shown_storage}': {_first_line(error)}", "choose another one"
        ) from None


def _storage(url: str, options: dict[str, Any]) -> RDBStorage:
    for attempt in range(_ATTEMPTS):
        try:
            return RDBStorage(
                url,
                options,
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=_RETRIES),
            )
        except ArgumentError:
            raise
        except SQLAlchemyError:
            # Of two workers that make the tables at once, one fails, and finds them made a little later.
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.2, 1))
    raise AssertionError("unreachable")


def _find_or_make(config: TuneConfig, storage: RDBStorage) -> Study:
    return optuna.create_study(
        storage=storage,
        study_name=config.study,
        direction="minimize",
        pruner=MedianPruner(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=_WARMUP_PERCENT),
        load_if_exists=True,
    )


def _check_settings(config: TuneConfig, study: Study, settings: dict[str, Any]) -> None:
    begun_with = study.user_attrs.get("settings")
    if begun_with is None:
        study.set_user_attr("settings", settings)
        return
    names = sorted(begun_with.keys() | settings.keys())
    if changed := [name for name in names if begun_with.get(name) != settings.get(name)]:
        raise UserError(
            f"study '{config.study}' in '{config.shown_storage}' was begun with other values of "
            f"{', '.join(changed)}: its losses don't compare",
            "choose another name for study; or --force deletes the old one's trials",
        )


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
