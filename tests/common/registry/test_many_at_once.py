"""Many processes at once, and processes that are killed: nothing is lost, doubled or left half-written."""

import json
import signal
import time
from itertools import chain
from pathlib import Path

import pytest
from mlflow import MlflowClient

from common.registry import Moved, Registry
from tests.common.registry.processes import job, output, runs


@pytest.mark.slow
def test_eight_processes_register_at_once(uri, name, adapter, tmp_path):
    if uri.startswith("sqlite"):  # where they also race to create it
        uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    jobs = [job("register", uri, name, adapter, 3) for _ in range(8)]
    numbers = [json.loads(output(process)) for process in jobs]
    assert sorted(chain(*numbers)) == list(range(1, 25))
    assert all(own == sorted(own) for own in numbers)
    registry = Registry(uri)
    assert [version.number for version in registry.versions(name)] == list(range(1, 25))
    assert len({version.run_id for version in registry.versions(name)}) == 24
    assert not any(registry.verify(name, number) for number in (1, 24))
    assert not runs(uri, "RUNNING")


@pytest.mark.slow
def test_four_processes_promote_at_once(uri, name, adapter, results):
    registry = Registry(uri)
    for number in range(1, 5):
        registry.register(name, adapter)
        registry.attach(name, number, results)
    orders = [[(shift + 3 * step) % 4 + 1 for step in range(6)] for shift in range(4)]
    for process in [job("promote", uri, name, *order) for order in orders]:
        output(process)
    moves = [entry.change for entry in registry.trail(name) if isinstance(entry.change, Moved)]
    assert moves[0].before is None
    assert [move.before for move in moves[1:]] == [move.after for move in moves[:-1]]
    assert all(move.before != move.after for move in moves)
    assert registry.resolve(f"{name}@champion").number == moves[-1].after
    assert registry.resolve(f"{name}@previous").number == moves[-1].before
    seen = MlflowClient(uri, uri).get_registered_model(name).aliases
    assert int(seen["champion"]) == moves[-1].after
    assert int(seen["previous"]) == moves[-1].before


@pytest.mark.slow
def test_of_many_evaluations_attached_at_once_one_is_accepted(uri, name, adapter, tmp_path):
    Registry(uri).register(name, adapter)
    files = []
    for number in range(4):
        files.append(tmp_path / str(number) / "evaluation_results.json")
        files[-1].parent.mkdir()
        files[-1].write_text(json.dumps({"rouge_l": number}))
    jobs = [job("attach", uri, name, file) for file in files]
    accepted = [*chain(*(json.loads(output(process)) for process in jobs))]
    assert len(accepted) == 1
    folder = Registry(uri).fetch(Registry(uri).version(name, 1), tmp_path / "models")
    assert (folder / "evaluation_results.json").read_bytes() == Path(accepted[0]).read_bytes()
    assert not Registry(uri).verify(name, 1)


@pytest.mark.slow
def test_killed_between_copy_and_creation(uri, name, adapter):
    killed = job("killed_at", "create_model_version", "before", "register", uri, name, adapter, 1)
    assert killed.wait(120) == -signal.SIGKILL
    [left] = runs(uri, "RUNNING")
    registry, client = Registry(uri), MlflowClient(uri, uri)
    assert registry.versions(name) == []
    assert client.list_artifacts(left)
    assert registry.register(name, adapter).number == 1
    assert not runs(uri, "RUNNING")
    assert client.get_run(left).info.lifecycle_stage == "deleted"
    assert not client.list_artifacts(left)
    assert not registry.verify(name, 1)


def test_another_machines_registration_counts_as_killed_after_a_day(registry, uri, name, adapter):
    registry.register(name, adapter)
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("registry").experiment_id
    yesterday, today = (
        client.create_run(experiment, int(1000 * (time.time() - age)), {"registration": f"{name}-{age}"}).info
        for age in (25 * 3600, 23 * 3600)
    )
    registry.register(name, adapter)
    assert runs(uri, "RUNNING") == [today.run_id]
    assert client.get_run(yesterday.run_id).info.lifecycle_stage == "deleted"
    client.delete_run(today.run_id)


@pytest.mark.slow
def test_killed_right_after_creation(uri, name, adapter):
    killed = job("killed_at", "create_model_version", "after", "register", uri, name, adapter, 1)
    assert killed.wait(120) == -signal.SIGKILL
    registry = Registry(uri)
    [version] = registry.versions(name)
    assert registry.register(name, adapter).number == 2
    assert not runs(uri, "RUNNING")
    assert MlflowClient(uri, uri).get_run(version.run_id).info.status == "FINISHED"
    assert not registry.verify(name, 1)


@pytest.mark.slow
def test_killed_while_mlflows_aliases_follow(sqlite, name, adapter, results):
    registry, client = Registry(sqlite), MlflowClient(sqlite, sqlite)
    for number in (1, 2):
        registry.register(name, adapter)
        registry.attach(name, number, results)
    registry.alias(name, "champion", 1, why="first")
    killed = job("killed_at", "set_registered_model_alias", "before", "promote", sqlite, name, 2)
    assert killed.wait(120) == -signal.SIGKILL
    assert registry.resolve(f"{name}@champion").number == 2
    assert registry.resolve(f"{name}@previous").number == 1
    assert client.get_registered_model(name).aliases == {"champion": 1}
    registry.alias(name, "champion", 2, why="again")
    assert client.get_registered_model(name).aliases == {"champion": 2, "previous": 1}
    assert len([e for e in registry.trail(name) if isinstance(e.change, Moved)]) == 2
