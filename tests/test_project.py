"""The project's own promises: documents that cannot rot, locks that hold the pins, configs that load."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONFIGS = sorted(p for p in (ROOT / "configs").rglob("*.yaml") if p.parent.name != "accelerate")
LAUNCHERS = sorted((ROOT / "configs/accelerate").glob("*.yaml"))  # tests/sft/test_launchers.py loads them
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMANDS = {
    "python -m data_pipeline.sample": "data_pipeline.sample.config:SampleConfig",
    "python -m common.encoder": "common.encoder.config:ExportConfig",
    "python -m data_pipeline.build": "data_pipeline.config:BuildConfig",
    "python -m data_pipeline.pii.train_ner": "data_pipeline.pii.ner.config:TrainNerConfig",
    "python -m data_pipeline.synthesise": "data_pipeline.synthetic.config:SynthesiseConfig",
    "python -m sft.tiny": "sft.tiny.config:TinyConfig",
    "python -m alignment.pairs": "alignment.pairs.config:PairsConfig",
    "python -m sft.train": "sft.config:TrainConfig",
    "python -m sft.tune": "sft.tune.config:TuneConfig",
    "python -m eval.report": "eval.config:ReportConfig",
}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_config_opens_with_its_command_and_loads(path: Path) -> None:
    import importlib

    from common.config import load

    first = path.read_text().splitlines()[0]
    command, _, argument = first.removeprefix("# ").rpartition(" ")
    assert argument == str(path.relative_to(ROOT))
    module, name = COMMANDS[command].split(":")
    load(getattr(importlib.import_module(module), name), path, check_paths=False)


@pytest.mark.parametrize("path", LAUNCHERS, ids=lambda path: path.name)
def test_every_launcher_opens_with_its_command(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    command = f"# accelerate launch --config_file {path.relative_to(ROOT)} -m sft.train "
    assert first.startswith(command) and ROOT / first.removeprefix(command) in CONFIGS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_launchers_and_configs_named_in_a_config_exist(path: Path) -> None:
    named = re.findall(r"\bconfigs/[\w./-]*\w", path.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_configs_named_in_documents_exist(path: Path) -> None:
    text = path.read_text()
    named = set(re.findall(r"\b(?:configs|tests|docs|locks|benchmarks)/[\w./-]*\w", text))
    missing = sorted(name for name in named if not (ROOT / name).exists())
    linked = re.findall(r"\]\((?!http|#)([^)#]+)", text)
    missing += sorted(link for link in linked if not (path.parent / link).exists())
    assert missing == []
    assert "@@" not in text, "a figure that was to be filled in"


def test_make_targets_named_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.M))
    named = {t for path in DOCUMENTS for t in re.findall(r"(?:`|    )make ([a-z][\w-]*)", path.read_text())}
    assert named and named <= targets


def test_the_table_of_models_is_that_of_the_configs() -> None:
    rows = re.findall(
        r"^\| `(configs/\S+\.yaml)` \| (.+?) \| `(\S+)` \|$", (ROOT / "docs/training.md").read_text(), re.M
    )
    training = {
        p for p in CONFIGS if p.parent.name in ("configs", "quickstart") and "sft.train" in p.read_text()[:30]
    }
    assert {ROOT / path for path, _, _ in rows} == training
    for path, model, template in rows:
        config = yaml.safe_load((ROOT / path).read_text())
        assert config["chat_template"] == template
        assert config["model"] in (model, "out/tiny_base")


def test_contributing_names_every_marker() -> None:
    markers = {line.split(":")[0] for line in PYPROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    table = (ROOT / "CONTRIBUTING.md").read_text().split("## Markers")[1].split("##")[0]
    assert set(re.findall(r"`(\w+)`", table)) - {"SUPPORT_DATA"} >= markers


@pytest.mark.parametrize("profile", ["base", "dev", "gpu", "vllm-cpu"])
def test_locks_hold_the_pins(profile: str) -> None:
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / f"locks/{profile}.txt").read_text(), re.M))
    extras = PYPROJECT["project"]["optional-dependencies"].get(profile, [])
    for requirement in [*PYPROJECT["project"]["dependencies"], *extras]:
        name, _, version = requirement.partition("==")
        if version:
            assert locked[name].removesuffix("+cpu") == version
        else:
            assert re.split(r"[<>=]", requirement)[0].lower() in {key.lower() for key in locked}


def test_cpu_locks_bring_no_cuda() -> None:
    for profile in ("base", "dev"):
        assert not re.search(r"^(nvidia-|cuda-|triton)", (ROOT / f"locks/{profile}.txt").read_text(), re.M)


def test_extras_that_need_different_builds_of_torch_are_said_to_conflict() -> None:
    [conflict] = PYPROJECT["tool"]["uv"]["conflicts"]
    assert {entry["extra"] for entry in conflict} == {"gpu", "vllm-cpu"}
