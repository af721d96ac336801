"""Trials that are shared, stopped, failed, tried again: with scripted losses, in a real database."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna import Study
from optuna.trial import TrialState

from common.errors import UserError
from sft.config import TrainConfig
from sft.tune import search as searching
from sft.tune.config import TuneConfig
from sft.tune.search import search
from sft.tune.storage import GRACE, HEARTBEAT, database, finished, open_study
from sft.tune.trial import Evaluation, TrialFailed
from tests.sft.tune.small_studies import EVERY, scripted, stop_heartbeats, study_of, tune_config

Evaluated = Callable[[Evaluation], None]


def numbers(study: Study) -> list[int]:
    return [trial.number for trial in finished(study)]


def a_running_trial(study: Study) -> Any:
    """One of another worker, which has just given a sign of life."""
    trial = study.ask()
    trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
    trial.suggest_categorical("lora.r", [2, 4, 8])
    study._storage.record_heartbeat(trial._trial_id)
    return trial


@pytest.mark.slow
def test_a_search_finds_the_better_values(tmp_path: Path) -> None:
    config = tune_config(tmp_path, trials=25)
    study = study_of(config)
    search(config, study, scripted)
    assert numbers(study) == list(range(25))
    assert 0.003 < study.best_params["learning_rate"] < 0.03
    assert study.best_value == min(study.best_trial.intermediate_values.values())


def test_the_best_loss_of_a_trial_counts_and_not_its_last(tmp_path: Path) -> None:
    def overfitting(settings: TrainConfig, evaluated: Evaluated) -> None:
        for step, loss in ((2, 3.0), (4, 2.0), (6, 4.0)):
            evaluated(Evaluation(step, 6, loss))

    config = tune_config(tmp_path, trials=1)
    study = study_of(config)
    search(config, study, overfitting)
    assert study.best_value == 2.0
    assert study.trials[0].intermediate_values == {33: 3.0, 67: 2.0, 100: 4.0}, "by the percentage of the run"
    assert study.trials[0].user_attrs["steps"] == 6


def test_trials_train_with_their_values_and_are_not_tracked(tmp_path: Path) -> None:
    seen: list[TrainConfig] = []

    def watch(settings: TrainConfig, evaluated: Evaluated) -> None:
        seen.append(settings)
        scripted(settings, evaluated)

    config = tune_config(tmp_path, base={"report_to": ["mlflow"], "register_as": "bot"}, max_steps=50)
    study = study_of(config)
    search(config, study, watch)
    assert [one.learning_rate for one in seen] == [trial.params["learning_rate"] for trial in study.trials]
    assert {(one.report_to, one.register_as, one.max_steps) for one in seen} == {((), None, 50)}


def test_a_bad_trial_is_stopped_early(tmp_path: Path) -> None:
    config = tune_config(tmp_path, trials=6, space={"learning_rate": [1e-2, 1e-9], "lora.r": [2, 4]})
    study = study_of(config)
    for rate in (1e-2, 1e-2, 1e-2, 1e-2, 1e-9, 1e-2):
        study.enqueue_trial({"learning_rate": rate, "lora.r": 4})
    search(config, study, scripted)
    assert [trial.state for trial in study.trials].index(TrialState.PRUNED) == 4
    assert [trial.user_attrs["steps"] for trial in study.trials] == [6, 6, 6, 6, EVERY[0], 6]


@pytest.mark.slow
def test_the_seed_repeats_one_workers_search_even_when_it_was_interrupted(tmp_path: Path) -> None:
    drawn = []
    for name, halves in (("whole", [12]), ("halves", [5, 12]), ("other", [12])):
        for trials in halves:
            config = tune_config(tmp_path / name, trials=trials, seed=1 if name == "other" else 2024)
            search(config, study_of(config), scripted)
        drawn.append([trial.params for trial in study_of(config).trials])
    assert drawn[0] == drawn[1] != drawn[2]
    assert len({str(params) for params in drawn[0]}) == 12


def test_a_second_run_has_nothing_to_do_and_more_trials_go_on(tmp_path: Path) -> None:
    config = tune_config(tmp_path, trials=2)
    for _ in range(2):
        search(config, study_of(config), scripted)
    assert numbers(study_of(config)) == [0, 1]
    more = tune_config(tmp_path, trials=5)
    search(more, study_of(more), scripted)
    assert numbers(study_of(more)) == [0, 1, 2, 3, 4]


def test_a_failed_trial_counts_with_its_reason_and_the_search_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[float] = []

    def second_fails(settings: TrainConfig, evaluated: Evaluated) -> None:
        calls.append(settings.learning_rate)
        if len(calls) == 2:
            raise TrialFailed("out of memory: CUDA")
        scripted(settings, evaluated)

    config = tune_config(tmp_path)
    study = study_of(config)
    search(config, study, second_fails)
    assert [one.state.name for one in finished(study)] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert study.trials[1].user_attrs["reason"] == "out of memory: CUDA"
    shown = capsys.readouterr().out
    assert shown.count("[TRIAL] number=") == 4 and "[TRIAL] number=1 state=failed learning_rate=" in shown
    assert "trial 1 failed: out of memory: CUDA" in shown


def test_three_failures_at_the_start_end_the_search(tmp_path: Path) -> None:
    def fail(settings: TrainConfig, evaluated: Evaluated) -> None:
        raise TrialFailed("the loss is nan")

    config = tune_config(tmp_path, trials=20)
    with pytest.raises(
        UserError, match="the first 3 trials of this worker failed, the last one by: the loss is nan"
    ):
        search(config, study_of(config), fail)
    assert numbers(study_of(config)) == [0, 1, 2]


def test_values_that_do_not_go_together_fail_their_trial(tmp_path: Path) -> None:
    space = {"load_in_4bit": [True, False], "learning_rate": [1e-2, 1e-3]}
    config = tune_config(tmp_path, base={"dtype": "float32"}, space=space, trials=2)
    study = study_of(config)
    for quantised in (True, False):
        study.enqueue_trial({"load_in_4bit": quantised, "learning_rate": 1e-2})
    search(config, study, scripted)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"]
    assert "load_in_4bit computes in 16 bits" in study.trials[0].user_attrs["reason"]


def test_a_killed_workers_trial_is_tried_again_with_its_values(tmp_path: Path) -> None:
    config = tune_config(tmp_path, trials=3)
    lost = a_running_trial(study_of(config))
    stop_heartbeats(config)
    study = study_of(config)
    search(config, study, scripted)
    assert study.trials[0].state == TrialState.FAIL and 0 not in numbers(study)
    assert len(finished(study)) == 3, "the lost one does not count"
    assert study.trials[1].params == lost.params and study.trials[1].state == TrialState.COMPLETE


def test_heartbeats_are_given_while_a_trial_runs(tmp_path: Path) -> None:
    config = tune_config(tmp_path, trials=1)
    study = study_of(config)

    def stale_in_the_middle(settings: TrainConfig, evaluated: Evaluated) -> None:
        time.sleep(0.2)  # the first is given at once, in a thread
        assert study._storage._get_stale_trial_ids(study._study_id) == []  # type: ignore[attr-defined]
        stop_heartbeats(config)
        assert study._storage._get_stale_trial_ids(study._study_id) == [1]  # type: ignore[attr-defined]
        scripted(settings, evaluated)

    search(config, study, stale_in_the_middle)
    assert numbers(study) == [0]
    assert study._storage.get_heartbeat_interval() == HEARTBEAT < GRACE / 2  # type: ignore[attr-defined]


def test_ctrl_c_leaves_the_trial_to_be_tried_again(tmp_path: Path) -> None:
    def interrupt(settings: TrainConfig, evaluated: Evaluated) -> None:
        raise KeyboardInterrupt

    config = tune_config(tmp_path, trials=2)
    study = study_of(config)
    with pytest.raises(KeyboardInterrupt):
        search(config, study, interrupt)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "WAITING"] and numbers(study) == []
    search(config, study, scripted)
    assert numbers(study) == [1, 2] and study.trials[1].params == study.trials[0].params


def test_a_worker_waits_for_the_last_trials_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tune_config(tmp_path, trials=2)
    others = study_of(config)
    running = a_running_trial(others)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            others.tell(running, 1.5)

    monkeypatch.setattr(searching.time, "sleep", sleep)
    search(config, study_of(config), scripted)
    assert len(slept) == 3 and numbers(others) == [0, 1]
    told = f"waiting for 1 of other workers' trials; those of a killed one are tried again {GRACE} s after"
    assert capsys.readouterr().out.count(told) == 1


def test_of_two_workers_that_begin_the_last_trial_at_once_one_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tune_config(tmp_path, trials=1)
    others = study_of(config)
    running = a_running_trial(others)
    monkeypatch.setattr(searching, "_all_taken", lambda *_: 0)
    study = study_of(config)
    objective = searching._Objective(config, scripted, print)
    assert searching._run_one(study, objective) is None
    others.tell(running, 1.5)
    assert study.trials[1].state == TrialState.FAIL and study.trials[1].params == {}
    assert numbers(study) == [0]


@pytest.mark.parametrize("fails", [False, True])
def test_a_trial_that_was_taken_over_is_left_to_the_other_worker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fails: bool
) -> None:
    config = tune_config(tmp_path, trials=1)
    study = study_of(config)
    calls: list[float] = []

    def sleep_too_long(settings: TrainConfig, evaluated: Evaluated) -> None:
        calls.append(settings.learning_rate)
        if len(calls) == 1:
            time.sleep(0.2)
            stop_heartbeats(config)
            searching.fail_stale_trials(study_of(config))
            if fails:
                raise TrialFailed("out of memory")
        scripted(settings, evaluated)

    search(config, study, sleep_too_long)
    assert numbers(study) == [1] and calls[0] == calls[1]
    assert "trial 0 was taken over by another worker" in capsys.readouterr().out


def settings_problem(config: TuneConfig, settings: dict[str, Any]) -> str:
    with pytest.raises(UserError) as caught:
        open_study(config, settings)
    return str(caught.value)


def test_a_study_begun_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    config = tune_config(tmp_path)
    before: dict[str, Any] = {"space": {"lora.r": [2, 4]}, "max_steps": None, "dataset": "abc"}
    open_study(config, before)
    open_study(config, before)
    told = settings_problem(config, before | {"dataset": "def", "space": {"lora.r": [2, 8]}})
    assert "was begun with other values of dataset, space: its losses don't compare" in told


@pytest.mark.parametrize("url", ["postgrsql://me:secret@host/a", "nothing+at_all://host/a"])
def test_a_database_without_a_driver_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match="there is no driver for the database") as caught:
        study_of(tune_config(tmp_path, storage=url))
    assert "postgresql+psycopg://" in caught.value.fix and "secret" not in str(caught.value)


def test_a_database_that_cannot_be_used_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    config = tune_config(tmp_path)
    (tmp_path / "optuna.db").write_text("this is no database")
    with pytest.raises(UserError, match=r"optuna\.db': file is not a database"), database(config):
        study_of(config)


def test_force_begins_anew_but_not_under_running_workers(tmp_path: Path) -> None:
    config = tune_config(tmp_path, trials=1)
    search(config, study_of(config), scripted)
    running = a_running_trial(study_of(config))
    with pytest.raises(UserError, match="1 trials of study 'sft' are running in other workers"):
        open_study(config, {}, fresh=True)
    study_of(config).tell(running.number, 1.0)
    assert open_study(config, {"dataset": "new"}, fresh=True).trials == []
