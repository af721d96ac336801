"""What goes wrong: missing and damaged files, failures half-way, stores that can't be read or written."""

import json
import os
import shutil
import socket
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from common.errors import UserError
from common.registry import Registry
from tests.common.registry.processes import job, runs


def stored(uri: str, name: str, number: int, file: str) -> Path:
    """The path of a version's file in the store of an SQLite registry."""
    run_id = Registry(uri).version(name, number).run_id
    return Path(uri.removeprefix("sqlite:///")).with_name("mlflow-artifacts") / run_id / "artifacts" / file


@pytest.mark.parametrize("file", ["adapter_config.json", "adapter_model.safetensors", "metadata.json"])
def test_a_missing_file_is_named_and_nothing_is_registered(sqlite, name, adapter, file):
    (adapter / file).unlink()
    with pytest.raises(UserError, match=f"can't be registered as adapter: it has no {file}"):
        Registry(sqlite).register(name, adapter)
    assert name not in Registry(sqlite).models()


def test_a_folder_that_its_stage_did_not_leave_so_is_not_registered(sqlite, name, adapter):
    from common.artifacts import Recipe, writing

    whole = adapter.with_name("whole")
    with writing(whole, Recipe("adapter", {}, {}, "")) as folder:
        shutil.copytree(adapter, folder, dirs_exist_ok=True)
    assert "manifest.json" in Registry(sqlite).register(name, whole).files
    (whole / "training_args.json").write_text("{}")
    with pytest.raises(UserError, match=r"not as its stage wrote it: training_args\.json"):
        Registry(sqlite).register(name, whole)


def test_damage_is_named(registry, uri, name, adapter, results, tmp_path):
    registry.register(name, adapter)
    version = registry.attach(name, 1, results)
    assert not registry.verify(name, 1)
    client = MlflowClient(uri, uri)
    changed = tmp_path / "adapter_model.safetensors"
    changed.write_bytes((adapter / changed.name).read_bytes()[:-1] + b"\0")
    client.log_artifact(version.run_id, str(changed))
    changed.rename(tmp_path / "stray.bin")
    client.log_artifact(version.run_id, str(tmp_path / "stray.bin"))
    damage = registry.verify(name, 1)
    assert (damage.changed, damage.missing, damage.extra) == (
        ("adapter_model.safetensors",),
        (),
        ("stray.bin",),
    )
    assert str(damage) == "changed: adapter_model.safetensors; extra: stray.bin"
    with pytest.raises(UserError, match=r"'adapter_model\.safetensors' of .*-v1 is not the file that was"):
        registry.fetch(version, tmp_path / "models")
    assert [path.name for path in (tmp_path / "models").iterdir() if path.suffix != ".lock"] == []


def test_a_stored_file_that_is_gone(sqlite, name, adapter, results, tmp_path):
    Registry(sqlite).register(name, adapter)
    version = Registry(sqlite).attach(name, 1, results)
    stored(sqlite, name, 1, "training_args.json").unlink()
    shutil.rmtree(stored(sqlite, name, 1, "attachments"))
    damage = Registry(sqlite).verify(name, 1)
    assert damage.missing == ("training_args.json", "evaluation_results.json")
    with pytest.raises(UserError, match=r"training_args\.json"):
        Registry(sqlite).fetch(version, tmp_path)
    assert not (tmp_path / version.label).exists()


def test_a_failure_at_the_last_step_leaves_nothing(registry, uri, name, adapter, monkeypatch):
    def fail(*args, **kwargs):
        raise MlflowException("out of order")

    before = {*runs_with_files(registry, uri)}
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "create_model_version", fail)
        with pytest.raises(UserError, match="out of order"):
            registry.register(name, adapter)
    assert {*runs_with_files(registry, uri)} == before
    assert registry.versions(name) == []
    assert registry.register(name, adapter).number == 1


def runs_with_files(registry: Registry, uri: str) -> list[str]:
    registry.models()  # creates the database where there is none
    client = MlflowClient(uri, uri)
    if (experiment := client.get_experiment_by_name("registry")) is None:
        return []
    found = client.search_runs([experiment.experiment_id], run_view_type=3)
    return [run.info.run_id for run in found if client.list_artifacts(run.info.run_id)]


@pytest.mark.slow
def test_a_store_that_may_only_be_read(sqlite, name, adapter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    for part in (folder, *folder.parents[:2]):
        part.chmod(0o755)  # pytest's folders are its user's alone
    uri = f"sqlite:///{folder}/mlflow.db"
    Registry(uri).register(name, adapter)
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    source = folder.with_name(f"{folder.name}-source")
    shutil.copytree(adapter, source)
    process = job("read_only", sqlite, uri, name, source)
    out, err = process.communicate(timeout=120)
    assert json.loads(out) == [f"{name}-v1", False]
    assert process.returncode == 1
    assert "attempt to write a readonly database" in err
    assert "fix: check that this user may write" in err
    assert "Traceback" not in err
    folder.chmod(0o755)
    assert [version.number for version in Registry(uri).versions(name)] == [1]


def test_files_that_cannot_be_written(name, adapter, tmp_path):
    registry = Registry(f"sqlite:///{tmp_path}/mlflow.db")
    (tmp_path / "mlflow-artifacts").write_text("in the way")
    with pytest.raises(UserError, match="mlflow-artifacts"):
        registry.register(name, adapter)
    (tmp_path / "mlflow-artifacts").unlink()
    assert registry.register(name, adapter).number == 1


def test_a_database_that_is_none(name, tmp_path):
    (tmp_path / "mlflow.db").write_text("these are not the tables that you are looking for" * 100)
    with pytest.raises(UserError, match="file is not a database"):
        Registry(f"sqlite:///{tmp_path}/mlflow.db").models()


def test_nobody_listens(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://jane:secret@127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(UserError, match="check the server's address") as error:
        Registry(uri).models()
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "uri",
    [
        "mlruns",
        "sqlite://",
        "sqlite:///",
        "sqlite:///a.db?mode=ro",
        "postgresql://u:secret@host/db",
        "http://",
    ],
)
def test_a_registry_cannot_be_everywhere(uri):
    with pytest.raises(UserError, match="the registry can't be at") as error:
        Registry(uri)
    assert "secret" not in str(error.value)


def test_a_model_or_version_that_mlflow_has_from_elsewhere(registry, uri, name, adapter):
    client = MlflowClient(uri, uri)
    client.create_registered_model(name)
    for action in (lambda: registry.register(name, adapter), lambda: registry.resolve(f"{name}@champion")):
        with pytest.raises(UserError, match="was not registered by this registry"):
            action()
    assert name not in registry.models()
    assert not runs(uri, "RUNNING")
    version = registry.register(f"{name}-ours", adapter)
    source = client.get_run(version.run_id).info.artifact_uri
    client.create_model_version(version.name, source, version.run_id)
    assert registry.versions(version.name) == [version]
    with pytest.raises(UserError, match=r"version 2 .* was not registered by this registry"):
        registry.resolve(f"{version.name}/2")


def test_a_deleted_version_gives_nothing_to_the_next(registry, uri, name, adapter, results):
    registry.register(name, adapter)
    registry.attach(name, 1, results)
    registry.alias(name, "champion", 1, why="first")
    MlflowClient(uri, uri).delete_model_version(name, "1")
    again = registry.register(name, adapter)
    assert (again.number, again.attachments, again.aliases) == (2, {}, ())
    with pytest.raises(UserError, match="has no version 1") as error:
        registry.resolve(f"{name}@champion")
    assert error.value.fix == "it has 2"
    registry.attach(name, 2, results)
    registry.alias(name, "champion", 2, why="the first is gone")
    assert registry.resolve(f"{name}@champion").number == 2
    assert MlflowClient(uri, uri).get_registered_model(name).aliases.keys() == {"champion"}


def test_nothing_is_written_where_one_works(sqlite, name, adapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = {*os.listdir()}
    Registry(sqlite).register(name, adapter)
    assert {*os.listdir()} == before
