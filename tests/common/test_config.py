import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from common.config import ArtifactPath, Config, InputPath, dump, load
from common.errors import ConfigError


class Inner(Config):
    r: int = 16
    alpha: int = 32


class Csv(Config):
    type: Literal["csv"]
    delimiter: str = ","


class Json(Config):
    type: Literal["json"]


class Example(Config):
    learning_rate: Annotated[float, Field(gt=0)]
    inner: Inner = Inner()
    family: Literal["llama3", "qwen2.5"] = "llama3"
    sources: tuple[Annotated[Csv | Json, Field(discriminator="type")], ...] = ()
    path: InputPath | None = None
    artifact: ArtifactPath | None = None


def write(folder: Path, text: str) -> Path:
    path = folder / "example.yaml"
    path.write_text(text)
    return path


def errors(folder: Path, text: str, *overrides: str) -> list[str]:
    """The error's lines, without white space at the ends."""
    with pytest.raises(ConfigError) as caught:
        load(Example, write(folder, text), overrides)
    return [line.strip() for line in str(caught.value).splitlines()]


def test_good_config_with_nested_override(tmp_path: Path) -> None:
    config = load(Example, write(tmp_path, "learning_rate: 2e-4\ninner: {r: 8}"), ["inner.alpha=64"])
    assert config.learning_rate == 2e-4
    assert config.inner == Inner(r=8, alpha=64)


def test_every_error_is_shown_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = "# launch\nlearning_rat: 2e-4\ninner:\n  r: sixteen\n  alfa: 1\npath: nowhere/data.jsonl\n"
    assert errors(tmp_path, text) == [
        f"{tmp_path}/example.yaml: 5 errors",
        "line 1    learning_rate: required, but not given",
        "line 2    learning_rat: unknown key. Did you mean 'learning_rate'?",
        "line 4    inner.r: input should be a valid integer, "
        "unable to parse string as an integer, not 'sixteen'",
        "line 5    inner.alfa: unknown key. Did you mean 'alpha'?",
        "line 6    path: no such file or folder: 'nowhere/data.jsonl'.",
    ]


def test_a_wrong_choice_names_the_near_one(tmp_path: Path) -> None:
    [_, line] = errors(tmp_path, "learning_rate: 1\nfamily: qwen2\n")
    assert line == "line 2    family: should be 'llama3' or 'qwen2.5', not 'qwen2'. Did you mean 'qwen2.5'?"


def test_errors_in_lists_and_unions_carry_their_place(tmp_path: Path) -> None:
    text = "learning_rate: 1\nsources:\n  - type: csv\n    delimeter: ;\n  - type: jsn\n"
    assert errors(tmp_path, text)[1:] == [
        "line 4    sources.0.delimeter: unknown key. Did you mean 'delimiter'?",
        "line 5    sources.1: 'type' should be 'csv', 'json'. Did you mean 'json'?",
    ]


def test_a_key_given_twice_is_an_error(tmp_path: Path) -> None:
    [_, line] = errors(tmp_path, "learning_rate: 1\nlearning_rate: 2\n")
    assert line == "line 2    learning_rate: given twice"


def test_override_errors_name_the_command_line(tmp_path: Path) -> None:
    assert errors(tmp_path, "learning_rate: 1\n", "inner.r=x", "learning_rate.y=1", "lonely")[1:] == [
        "override  'lonely': write it as key=value, e.g. lora.r=8",
        "override  inner.r: input should be a valid integer, unable to parse string as an integer, not 'x'",
        "override  learning_rate.y: 'learning_rate' is not a group of keys",
    ]


def test_a_near_file_name_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "tickets.jsonl").touch()
    [_, line] = errors(tmp_path, f"learning_rate: 1\npath: {tmp_path}/ticket.jsonl\n")
    assert line.endswith(f"Did you mean '{tmp_path}/tickets.jsonl'?")


def test_a_folder_without_manifest_is_no_artifact(tmp_path: Path) -> None:
    [_, line] = errors(tmp_path, f"learning_rate: 1\nartifact: {tmp_path}\n")
    assert "has no manifest.json" in line


@pytest.mark.parametrize(
    ("text", "part"),
    [("a: [", "not valid YAML"), ("- 1\n", "must be a mapping"), ("", "required, but not given")],
)
def test_files_that_are_no_config(tmp_path: Path, text: str, part: str) -> None:
    assert part in " ".join(errors(tmp_path, text))


def test_missing_config_file_suggests_a_near_one(tmp_path: Path) -> None:
    write(tmp_path, "")
    with pytest.raises(ConfigError, match=r"Did you mean .*/example\.yaml"):
        load(Example, tmp_path / "exampel.yaml")


def test_paths_are_not_checked_on_request(tmp_path: Path) -> None:
    path = write(tmp_path, "learning_rate: 1\npath: nowhere\nartifact: nowhere\n")
    assert load(Example, path, check_paths=False).path == Path("nowhere")


@given(st.floats(1e-6, 1), st.integers(1, 512), st.sampled_from(["llama3", "qwen2.5"]))
def test_dump_and_load_are_inverse(
    tmp_path_factory: pytest.TempPathFactory, lr: float, r: int, name: str
) -> None:
    config = Example.model_validate({"learning_rate": lr, "inner": {"r": r}, "family": name})
    assert load(Example, write(tmp_path_factory.mktemp("config"), dump(config))) == config


@given(st.text(max_size=200))
def test_no_text_crashes_the_loader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("config") / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    with pytest.raises(ConfigError):
        load(Example, path)


def test_a_wrong_config_exits_2_within_a_second_and_without_traceback(tmp_path: Path) -> None:
    path = write(tmp_path, "modle: out/tiny_base\nlora: {r: many}\ndataset: nowhere\n")
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "sft.train", str(path)], capture_output=True, text=True)
    seconds = time.monotonic() - began
    assert done.returncode == 2
    assert "Did you mean 'model'?" in done.stderr
    assert "lora.r" in done.stderr and "no such file or folder: 'nowhere'" in done.stderr
    assert "Traceback" not in done.stderr
    assert seconds < 5, "it takes half a second; this bound only catches torch being imported first"


@pytest.mark.parametrize("module", ["sft.train", "sft.tiny.__main__", "data_pipeline.build", "eval.report"])
def test_commands_import_nothing_heavy(module: str) -> None:
    heavy = ("torch", "transformers", "trl", "datasets", "datatrove", "matplotlib", "unsloth")
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
