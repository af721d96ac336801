"""The registry in use, on SQLite and on a server: what is registered, attached, moved, found and fetched."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from common.errors import GateError, UserError
from common.provenance import file_hash
from common.registry import Attached, Kind, Moved, Registry

FIVE = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "evaluation_results.json",
    "metadata.json",
    "training_args.json",
)


def promoted(registry: Registry, name: str, adapter: Path, results: Path) -> int:
    """Register, evaluate and promote a version."""
    number = registry.register(name, adapter).number
    registry.attach(name, number, results)
    registry.alias(name, "champion", number, why="better")
    return number


def test_a_version_says_what_it_is(registry, name, adapter):
    version = registry.register(name, adapter, who="jane@office")
    assert (version.name, version.number, version.kind) == (name, 1, "adapter")
    assert (version.description, version.registered_by) == ("four epochs", "jane@office")
    assert version.files["adapter_model.safetensors"] == file_hash(adapter / "adapter_model.safetensors")
    assert version.files.keys() == {*FIVE, "chat/template.jinja"} - {"evaluation_results.json"}
    assert version.lineage == {
        "created_at": "2026-01-02T03:04:05+00:00",
        "git_commit": "0123abc",
        "dataset_hash": "d" * 64,
    }
    assert (version.attachments, version.aliases) == ({}, ())
    assert registry.version(name, 1) == version
    assert name in registry.models()
    again = registry.register(name, adapter, description="the same again")
    assert [v.description for v in registry.versions(name)] == ["four epochs", "the same again"]
    assert again.label == f"{name}-v2"


def test_a_fetched_version_has_the_five_files_checked(registry, name, adapter, results, tmp_path):
    promoted(registry, name, adapter, results)
    folder = registry.fetch(registry.resolve(f"{name}@champion"), tmp_path / "models")
    assert folder == tmp_path / "models" / f"{name}-v1"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FIVE, "chat"])
    for file in (*adapter.rglob("*.*"), results):
        where = file.relative_to(adapter) if file.is_relative_to(adapter) else file.name
        assert (folder / where).read_bytes() == file.read_bytes()


def test_fetching_again_copies_only_what_is_missing_or_differs(registry, name, adapter, results, tmp_path):
    version = registry.register(name, adapter)
    folder = registry.fetch(version, tmp_path)
    untouched = (folder / "adapter_model.safetensors").stat().st_ino
    (folder / "training_args.json").write_text("{}")
    killed = tmp_path / f".{version.label}.abc.tmp"
    killed.mkdir()
    shutil.rmtree(folder / "chat")
    registry.fetch(registry.attach(name, 1, results), tmp_path)
    assert (folder / "training_args.json").read_bytes() == (adapter / "training_args.json").read_bytes()
    assert (folder / "evaluation_results.json").read_bytes() == results.read_bytes()
    assert (folder / "chat" / "template.jinja").is_file()
    assert (folder / "adapter_model.safetensors").stat().st_ino == untouched
    assert not killed.exists()


def test_promotion_needs_the_evaluation(registry, name, adapter, results):
    registry.register(name, adapter)
    with pytest.raises(GateError, match=r"v1 can't become champion: it has no evaluation_results\.json"):
        registry.alias(name, "champion", 1, why="looks good")
    assert registry.trail(name) == []
    registry.alias(name, "candidate", 1, why="to be compared")
    registry.attach(name, 1, results)
    registry.alias(name, "champion", 1, why="better")
    assert registry.resolve(f"{name}@champion").aliases == ("candidate", "champion")


def test_the_former_champion_is_previous_and_a_rollback_is_one_move(registry, name, adapter, results):
    for _ in range(3):
        promoted(registry, name, adapter, results)
    assert registry.resolve(f"models:/{name}@previous").number == 2
    registry.alias(name, "champion", registry.resolve(f"{name}@previous").number, why="p95 doubled")
    assert registry.resolve(f"{name}@champion").number == 2
    assert registry.resolve(f"{name}@previous").number == 3


def test_the_trail_says_who_did_what_and_why(registry, name, adapter, results):
    first, second = registry.register(name, adapter), registry.register(name, adapter)
    for version in (first, second):
        registry.attach(name, version.number, results, who="evaluation", why="nightly")
    registry.alias(name, "champion", 1, who="jane", why="first")
    registry.alias(name, "champion", 2, who="joe", why="3 points better 🎉")
    registry.alias(name, "champion", 2, who="joe", why="nothing moves, nothing is recorded")
    registry.alias(name, "shadow", 1, who="joe", why="watch it")
    registry.alias(name, "shadow", None, who="joe", why="seen enough")
    entries = registry.trail(name)
    assert [(entry.who, entry.why) for entry in entries] == [
        ("evaluation", "nightly"),
        ("evaluation", "nightly"),
        ("jane", "first"),
        ("joe", "3 points better 🎉"),
        ("joe", "watch it"),
        ("joe", "seen enough"),
    ]
    assert isinstance(entries[0].change, Attached)
    assert (entries[0].change.before, entries[0].change.after) == (None, file_hash(results))
    moves = [entry.change for entry in entries if isinstance(entry.change, Moved)]
    assert [(m.alias, m.before, m.after) for m in moves] == [
        ("champion", None, 1),
        ("champion", 1, 2),
        ("shadow", None, 1),
        ("shadow", 1, None),
    ]
    assert sorted(entry.at for entry in entries) == [entry.at for entry in entries]


def test_an_entry_of_the_trail_cannot_be_changed_in_mlflow(registry, uri, name, adapter, results):
    promoted(registry, name, adapter, results)
    before, client = registry.trail(name), MlflowClient(uri, uri)
    run = client.get_registered_model(name).tags["trail_run"]
    with pytest.raises(Exception, match="Changing param values is not allowed"):
        client.log_param(run, "000001", "{}")
    assert registry.trail(name) == before


def test_mlflow_sees_versions_aliases_tags_and_files(registry, uri, name, adapter, results, tmp_path):
    for _ in range(2):
        promoted(registry, name, adapter, results)
    registry.alias(name, "candidate", 1, why="compare")
    client = MlflowClient(uri, uri)
    model = client.get_registered_model(name)
    assert {a: int(n) for a, n in model.aliases.items()} == {"champion": 2, "previous": 1, "candidate": 1}
    found = client.get_model_version_by_alias(name, "champion")
    assert (int(found.version), found.description, found.status) == (2, "four epochs", "READY")
    assert found.tags["sha256/adapter_config.json"] == file_hash(adapter / "adapter_config.json")
    assert (found.tags["kind"], found.tags["lineage/git_commit"]) == ("adapter", "0123abc")
    assert client.get_run(found.run_id).info.status == "FINISHED"
    copy = Path(client.download_artifacts(found.run_id, "adapter_model.safetensors", str(tmp_path)))
    assert copy.read_bytes() == (adapter / "adapter_model.safetensors").read_bytes()


def test_an_alias_moved_past_the_registry_is_not_followed_and_put_back(registry, uri, name, adapter, results):
    promoted(registry, name, adapter, results)
    registry.register(name, adapter)
    client = MlflowClient(uri, uri)
    client.set_registered_model_alias(name, "champion", "2")
    assert registry.resolve(f"{name}@champion").number == 1
    registry.alias(name, "champion", 1, why="as it was")
    assert int(client.get_model_version_by_alias(name, "champion").version) == 1


def test_other_content_is_not_attached_under_the_same_name_unless_said(registry, name, adapter, results):
    registry.register(name, adapter)
    first = registry.attach(name, 1, results)
    assert registry.attach(name, 1, results) == first
    results.write_text('{"rouge_l": 0.9}')
    with pytest.raises(UserError, match=r"has another 'evaluation_results\.json' already"):
        registry.attach(name, 1, results)
    assert registry.version(name, 1) == first
    replaced = registry.attach(name, 1, results, replace=True, why="the test set had a defect")
    assert replaced.attachments == {"evaluation_results.json": file_hash(results)}
    assert [entry.why for entry in registry.trail(name)] == ["", "the test set had a defect"]
    assert not registry.verify(name, 1)


def test_what_was_registered_is_never_replaced(registry, name, adapter):
    registry.register(name, adapter)
    with pytest.raises(UserError, match="such files never change"):
        registry.attach(name, 1, adapter / "metadata.json", replace=True)


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}"])
def test_an_evaluation_that_says_nothing_is_not_attached(sqlite, name, adapter, results, text):
    Registry(sqlite).register(name, adapter)
    results.write_text(text)
    with pytest.raises(UserError, match=r"evaluation_results\.json"):
        Registry(sqlite).attach(name, 1, results)
    assert Registry(sqlite).trail(name) == []


def test_another_kind_of_model(sqlite, name, tmp_path, adapter):
    kind = Kind("classifier", ("model.onnx", "labels.json"))
    folder = tmp_path / "router"
    folder.mkdir()
    shutil.copy(adapter / "metadata.json", folder)
    (folder / "model.onnx").write_bytes(b"onnx")
    with pytest.raises(UserError, match=r"as classifier: it has no labels\.json"):
        Registry(sqlite).register(name, folder, kind=kind)
    (folder / "labels.json").write_text("[]")
    assert Registry(sqlite).register(name, folder, kind=kind).kind == "classifier"


def test_importing_the_registry_imports_no_mlflow():
    code = "import sys, common.registry as r; r.Registry(); sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.slow
def test_using_the_registry_loads_no_torch(sqlite):
    code = f"import sys, common.registry as r; r.Registry({sqlite!r}).models()"
    code += "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
