"""Run trials until the study has enough, whoever runs them. Imports Optuna: call it late."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from optuna import Study, Trial, TrialPruned
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import TPESampler
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from common.config import load
from common.console import progress, run_log, say, warn
from common.errors import ConfigError, UserError
from sft.config import TrainConfig
from sft.tune.config import TuneConfig
from sft.tune.space import overrides, suggest
from sft.tune.storage import GRACE, counts, finished, try_again
from sft.tune.trial import Evaluation, TrialFailed

Train = Callable[[TrainConfig, Callable[[Evaluation], None]], None]
"""Trains, and calls back after each evaluation: `sft.tune.trial.train_in_child`."""

STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
_FAILURES = 3
_POLL = 5.0
"""Seconds between looks at what other workers are doing."""


def trial_settings(config: TuneConfig) -> list[str]:
    """Overrides of the training config that all trials share: nothing is tracked or registered."""
    steps = [] if config.max_steps is None else [f"max_steps={config.max_steps}"]
    return ["report_to=[]", "register_as=null", *steps]


def search(config: TuneConfig, study: Study, train: Train) -> None:
    """Run trials while the study lacks any, and wait for those of other workers.

    Raises:
        UserError: the first three of this worker's trials failed.
    """
    own: list[FrozenTrial] = []
    waiting = False
    with progress() as display:
        task = display.add_task("trials", total=config.trials, rate="")
        objective = _Objective(config, train, lambda text: display.update(task, rate=text))
        while len(done := finished(study)) < config.trials:
            display.update(task, completed=len(done))
            fail_stale_trials(study)
            if (running := _all_taken(config, study)) and not waiting:
                say(
                    f"waiting for {running} of other workers' trials; those of a killed one are tried again "
                    f"{GRACE} s after its last sign of life"
                )
            waiting = running > 0
            if waiting:
                time.sleep(_POLL)
            elif (trial := _run_one(study, objective)) is not None:
                _tell(trial)
                own.append(trial)
                _check_start(own)


def _all_taken(config: TuneConfig, study: Study) -> int:
    """How many trials are running, if there is none left to begin; else 0."""
    trials = study.get_trials(deepcopy=False)
    if any(one.state == TrialState.WAITING for one in trials) or sum(map(counts, trials)) < config.trials:
        return 0
    return sum(one.state == TrialState.RUNNING for one in trials)


def _run_one(study: Study, objective: "_Objective") -> FrozenTrial | None:
    """Return the trial once it is over, or None if it did not come to count."""
    objective.number = None
    try:
        study.optimize(objective, n_trials=1, catch=(TrialFailed,))
    except KeyboardInterrupt:
        if objective.number is not None and not counts(trial := study.trials[objective.number]):
            try_again(study, trial)
        raise
    except (UpdateFinishedTrialError, ValueError):
        if not objective.taken_over:
            raise
        warn(f"trial {objective.number} was taken over by another worker: this one had shown no sign of life")
        return None
    assert objective.number is not None
    trial = study.trials[objective.number]
    return trial if counts(trial) else None


def _tell(trial: FrozenTrial) -> None:
    fields: dict[str, Any] = {"number": trial.number, "state": STATES[trial.state]}
    if trial.value is not None:
        fields["loss"] = trial.value
    run_log("TRIAL", **fields, **trial.params)
    if trial.state == TrialState.FAIL:
        warn(f"trial {trial.number} failed: {trial.user_attrs['reason']}")


def _check_start(own: list[FrozenTrial]) -> None:
    """The same cause would fail the rest too: a machine without memory, a broken dataset."""
    if len(own) == _FAILURES and all(one.state == TrialState.FAIL for one in own):
        reason = own[-1].user_attrs["reason"]
        raise UserError(
            f"the first {_FAILURES} trials of this worker failed, the last one by: {reason}",
            "mend that, or narrow space, and run the same command again",
        )


class _Objective:
    """A trial's best validation loss."""

    def __init__(self, config: TuneConfig, train: Train, show: Callable[[str], object]) -> None:
        self._config = config
        self._train = train
        self._show = show
        self._losses: dict[int, float] = {}  # by optimizer step
        self._percent = -1
        self.number: int | None = None
        self.taken_over = False

    def __call__(self, trial: Trial) -> float:
        self.number, self.taken_over = trial.number, False
        self._losses, self._percent = {}, -1
        try:
            self._check_room(trial)
            return self._run(trial)
        except UpdateFinishedTrialError:
            self.taken_over = True
            raise

    def _run(self, trial: Trial) -> float:
        # By number: workers draw different values, and a resumed search those that it would have drawn.
        trial.study.sampler = TPESampler(seed=self._config.seed + trial.number)
        try:
            suggest(trial, self._config.space)
            self._train(self._settings(trial), partial(self._evaluated, trial))
            if not self._losses:
                raise TrialFailed("it ended without an evaluation")
        except TrialFailed as error:
            trial.set_user_attr("reason", str(error))
            raise
        return min(self._losses.values())

    def _check_room(self, trial: Trial) -> None:
        """Two workers may have begun the last trial at once: the later one gives way."""
        earlier = trial.study.get_trials(deepcopy=False)[: trial.number]
        if sum(map(counts, earlier)) >= self._config.trials:
            raise TrialFailed("one too many")

    def _settings(self, trial: Trial) -> TrainConfig:
        drawn = overrides(self._config.space, trial.params)
        try:
            return load(TrainConfig, self._config.config, [*trial_settings(self._config), *drawn])
        except ConfigError as error:  # values that are right alone, and do not go together
            raise TrialFailed(str(error)) from None

    def _evaluated(self, trial: Trial, evaluation: Evaluation) -> None:
        """Report the loss by the percentage of the run: trials may have different numbers of steps."""
        self._losses[evaluation.step] = evaluation.loss
        percent = round(100 * evaluation.step / evaluation.steps)
        self._show(f"trial {trial.number}: {percent} %, loss {min(self._losses.values()):.3f}")
        trial.set_user_attr("steps", evaluation.step)
        if percent > self._percent:
            self._percent = percent
            trial.report(evaluation.loss, percent)
        if evaluation.step < evaluation.steps and trial.should_prune():
            raise TrialPruned
