from pathlib import Path

import pytest

from common.config import ConfigError, load
from data_pipeline.config import BuildConfig
from data_pipeline.inputs import input_files
from data_pipeline.sources.config import find_files

REPO = Path(__file__).resolve().parents[2]
CONFIGS = ["quickstart/data.yaml", "bench/sgd_data.yaml", "bench/taskmaster_data.yaml"]

GOOD = "output: o\nsystem_prompt: p\nsources: [{type: chat, path: a.jsonl}]\n"


def errors(tmp_path: Path, text: str) -> str:
    (path := tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(BuildConfig, path)
    return str(error.value)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_shipped_config_is_valid_and_opens_with_its_command(name: str) -> None:
    path = REPO / "configs" / name
    config = load(BuildConfig, path, check_paths=False)
    assert path.read_text().startswith(f"# python -m data_pipeline.build configs/{name}\n")
    assert (config.split.train, config.split.val, config.split.test, config.split_seed) == (0.8, 0.1, 0.1, 42)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    sources = "[{type: zendesc, path: a}, {type: chat, path: a, nam: b}]"
    text = f"output: o\nsources: {sources}\nsystem_promt: p\nsplit: {{train: 0.8, val: 0.3}}\n"
    told = errors(tmp_path, text)
    assert "6 errors" in told
    assert "Did you mean 'zendesk'?" in told
    assert "sources.1.nam: unknown key. Did you mean 'name'?" in told
    assert "no file ending in .json, .jsonl, .json.gz, .jsonl.gz at 'a'" in told
    assert "Did you mean 'system_prompt'?" in told
    assert "system_prompt: required" in told
    assert "train, val and test add up to 1.2, not to 1" in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("holdouts: {train: {type: chat, path: a.jsonl}}", "'train' is taken"),
        ("holdouts: {rejected: {type: chat, path: a.jsonl}}", "'rejected' is taken"),
        ("holdouts: {../x: {type: chat, path: a.jsonl}}", "should match pattern"),
        ("max_rejected_share: 20", "less than or equal to 1"),
        ("executor: {type: local, workers: 0}", "greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_told(tmp_path: Path, line: str, told: str) -> None:
    assert told in errors(tmp_path, GOOD + line)


def test_a_blank_system_prompt_is_none(tmp_path: Path) -> None:
    assert "system_prompt" in errors(tmp_path, GOOD.replace("system_prompt: p", "system_prompt: '  '"))


def test_the_output_may_not_be_read_again(tmp_path: Path) -> None:
    touch(tmp_path, "a.jsonl")
    text = f"output: {tmp_path}/out\nsystem_prompt: p\nsources: [{{type: chat, path: {tmp_path}}}]\n"
    assert "it would be read" in errors(tmp_path, text)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}\n")


def test_a_path_is_a_file_or_a_folder_or_a_glob(tmp_path: Path) -> None:
    touch(tmp_path, "b.jsonl", "a/c.json.gz", "a/notes.md", "manifest.json", ".work/x.jsonl", "a/d.txt")
    assert find_files(tmp_path) == [tmp_path / "a/c.json.gz", tmp_path / "b.jsonl"]
    assert find_files(tmp_path / "*.jsonl") == [tmp_path / "b.jsonl"]
    assert find_files(tmp_path / "**" / "*.gz") == [tmp_path / "a/c.json.gz"]
    assert find_files(tmp_path / "a/d.txt") == [tmp_path / "a/d.txt"]
    assert find_files(tmp_path / "nothing") == []


def config(**values: object) -> BuildConfig:
    return BuildConfig.model_validate({"output": "o", "system_prompt": "p", **values})


def test_files_come_in_the_order_of_the_config_after_the_holdouts(tmp_path: Path) -> None:
    touch(tmp_path, "one/b.jsonl", "one/a.jsonl", "two.jsonl", "held.jsonl")
    files = input_files(
        config(
            sources=[
                {"type": "zendesk", "path": tmp_path / "two.jsonl"},
                {"type": "chat", "path": tmp_path / "one", "name": "first"},
            ],
            holdouts={"unseen": {"type": "chat", "path": tmp_path / "held.jsonl"}},
        )
    )
    assert [(file.source, file.name, file.holdout) for file in files] == [
        ("chat", "held.jsonl", "unseen"),
        ("zendesk", "two.jsonl", None),
        ("first", "a.jsonl", None),
        ("first", "b.jsonl", None),
    ]


def test_names_of_a_glob_begin_at_its_first_wildcard(tmp_path: Path) -> None:
    touch(tmp_path, "2024/a.jsonl", "2025/a.jsonl")
    files = input_files(config(sources=[{"type": "chat", "path": tmp_path / "*" / "a.jsonl"}]))
    assert [file.name for file in files] == ["2024/a.jsonl", "2025/a.jsonl"]


def test_what_a_command_has_rejected_is_no_data(tmp_path: Path) -> None:
    touch(tmp_path, "made/synthetic.jsonl", "made/rejected.jsonl", "made/manifest.json", "own/rejected.jsonl")
    files = input_files(config(sources=[{"type": "chat", "path": tmp_path}]))
    assert [file.name for file in files] == ["made/synthetic.jsonl", "own/rejected.jsonl"]
