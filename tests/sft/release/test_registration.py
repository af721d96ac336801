"""A run's result in the registry: registered once, and candidate once, however often it is asked for."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from common.registry import ADAPTER, MODEL, Moved, Registry
from common.registry.kinds import inspect
from sft.config import TrainConfig
from sft.release.registration import register
from tests.sft.release.finished_run import finish_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('registry')}/mlflow.db"


@pytest.fixture
def config(tmp_path: Path, uri: str) -> TrainConfig:
    """A finished run, whose name in the registry is this test's own."""
    return finish_run(tmp_path, register_as=tmp_path.name.replace("_", "-").lower(), tracking_uri=uri)


def moves(config: TrainConfig) -> list[tuple[str, int | None, str]]:
    trail = Registry(config.tracking_uri).trail(str(config.register_as))
    return [
        (entry.change.alias, entry.change.after, entry.why)
        for entry in trail
        if isinstance(entry.change, Moved)
    ]


def another(config: TrainConfig, name: str) -> TrainConfig:
    """The same run with another description, which is another version."""
    changes = {"register_as": config.register_as, "tracking_uri": config.tracking_uri}
    return finish_run(config.output.parent, output=config.output.parent / name, description=name, **changes)


def test_the_first_run_is_version_1_and_candidate(config: TrainConfig, capsys: Any) -> None:
    capsys.readouterr()
    version = register(config)
    assert version is not None
    assert (version.name, version.number, version.kind) == (config.register_as, 1, "adapter")
    assert version.aliases == ("candidate",)
    assert capsys.readouterr().out == f"registered as {config.register_as} version 1, alias candidate\n"
    assert moves(config) == [("candidate", 1, "validation loss 6.25 before, 3.18 after")]


def test_the_next_run_takes_the_alias_over(config: TrainConfig) -> None:
    register(config)
    version = register(another(config, "second"))
    assert version is not None and (version.number, version.aliases) == (2, ("candidate",))


def test_the_same_files_are_registered_once(config: TrainConfig, capsys: Any) -> None:
    first = register(config)
    capsys.readouterr()
    assert register(config) == first
    assert (
        capsys.readouterr().out == f"registered already as {config.register_as} version 1, alias candidate\n"
    )
    (config.output / "evaluation_results.json").write_text('{"rouge_l": 0.1}')
    assert register(config) == first, "what is added later makes no new version"
    assert len(Registry(config.tracking_uri).versions(str(config.register_as))) == len(moves(config)) == 1


def test_equal_weights_of_a_later_run_are_registered_once(config: TrainConfig) -> None:
    first = register(config)
    shutil.rmtree(config.output)
    again = finish_run(config.output.parent, register_as=config.register_as, tracking_uri=config.tracking_uri)
    metadata = json.loads((again.output / "metadata.json").read_text()) | {"created_at": "another time"}
    manifest = json.loads((again.output / "manifest.json").read_text())
    (again.output / "metadata.json").write_text(json.dumps(metadata))
    manifest["files"]["metadata.json"]["sha256"] = "0" * 64
    (again.output / "manifest.json").write_text(json.dumps(manifest))
    assert register(again) == first


def test_a_kill_between_version_and_alias_is_mended(config: TrainConfig) -> None:
    Registry(config.tracking_uri).register(str(config.register_as), config.output)
    version = register(config)
    assert version is not None and (version.number, version.aliases) == (1, ("candidate",))


def test_the_candidate_is_not_taken_back_from_a_newer_version(config: TrainConfig, capsys: Any) -> None:
    registry, name = Registry(config.tracking_uri), str(config.register_as)
    registry.register(name, config.output)  # killed before the alias
    register(another(config, "second"))
    capsys.readouterr()
    version = register(config)
    assert version is not None and (version.number, version.aliases) == (1, ())
    assert capsys.readouterr().out == f"registered already as {name} version 1\n"
    assert registry.resolve(f"{name}@candidate").number == 2


def test_a_candidate_that_people_have_dismissed_stays_dismissed(config: TrainConfig) -> None:
    register(config)
    Registry(config.tracking_uri).alias(str(config.register_as), "candidate", None, why="too terse")
    version = register(config)
    assert version is not None and version.aliases == ()


def test_all_weights_are_registered_as_a_model(tmp_path: Path, uri: str) -> None:
    config = finish_run(tmp_path, lora=None, register_as="whole", tracking_uri=uri)
    version = register(config)
    assert version is not None and version.kind == "model"
    assert {"config.json", "model.safetensors", "chat_template.jinja"} <= version.files.keys()
    with pytest.raises(UserError, match="can't be registered as adapter: it has no adapter_config"):
        inspect(config.output, ADAPTER)


def test_a_model_needs_weights_in_one_file_or_in_several(tmp_path: Path) -> None:
    config = finish_run(tmp_path, lora=None)
    (config.output / "manifest.json").unlink()
    weights = config.output / "model.safetensors"
    weights.rename(config.output / "model-00001-of-00002.safetensors")
    inspect(config.output, MODEL)
    (config.output / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(UserError, match=r"can't be registered as model: it has no \*.safetensors"):
        inspect(config.output, MODEL)


def test_without_a_name_and_in_other_processes_nothing_is_registered(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "sqlite:////nowhere/mlflow.db"
    assert register(config.model_copy(update={"register_as": None, "tracking_uri": nowhere})) is None
    monkeypatch.setenv("RANK", "1")
    assert register(config.model_copy(update={"tracking_uri": nowhere})) is None


def test_a_damaged_folder_is_refused(config: TrainConfig) -> None:
    (config.output / "adapter_model.safetensors").write_bytes(b"half")
    with pytest.raises(UserError, match="not as its stage wrote it: adapter_model"):
        register(config)
    assert config.register_as not in Registry(config.tracking_uri).models()
