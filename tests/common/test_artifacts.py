import json
import os
from pathlib import Path

import pytest

from common import config as config_module
from common.artifacts import (
    Recipe,
    check_replaceable,
    input_hash,
    is_up_to_date,
    read_manifest,
    verify,
    writing,
)
from common.config import Config
from common.errors import UserError
from common.provenance import code_hash, file_hash, tree_hash
from common.seeds import unit_hash
from common.work import finish, working


class Settings(Config):
    output: Path = Path("out")
    dataset: Path = Path("data")
    rank: int = 16
    split_seed: int = 42


def recipe(tmp_path: Path, *, data: str = "rows", volatile: tuple[str, ...] = (), rank: int = 16) -> Recipe:
    source = tmp_path / "source.jsonl"
    source.write_text(data)
    settings = Settings(dataset=source, rank=rank)
    return Recipe.of("test", settings, inputs={"dataset": source}, code=(), volatile=volatile)


def make(tmp_path: Path, made_by: Recipe, text: str = "content", clock: str = "1") -> Path:
    output = tmp_path / "artifact"
    with writing(output, made_by) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "data.txt").write_text(text)
        (folder / "time.txt").write_text(clock)
        made_by.counts["rows"] = 3
    return output


def test_manifest_names_what_made_the_artifact(tmp_path: Path) -> None:
    made_by = recipe(tmp_path)
    manifest = read_manifest(make(tmp_path, made_by))
    assert (manifest.kind, manifest.counts, manifest.seeds) == ("test", {"rows": 3}, {"split_seed": 42})
    assert manifest.inputs == {"dataset": file_hash(tmp_path / "source.jsonl")}
    assert set(manifest.files) == {"sub/data.txt", "time.txt"}
    assert manifest.fingerprint == made_by.fingerprint


def test_equal_content_has_equal_hash_whatever_the_clock_says(tmp_path: Path) -> None:
    made_by = recipe(tmp_path, volatile=("time.txt",))
    first = read_manifest(make(tmp_path, made_by, clock="1")).content_hash
    assert read_manifest(make(tmp_path, made_by, clock="2")).content_hash == first
    assert read_manifest(make(tmp_path, made_by, text="other")).content_hash != first


def test_up_to_date_follows_config_input_and_files(tmp_path: Path) -> None:
    output = make(tmp_path, recipe(tmp_path))
    assert is_up_to_date(output, recipe(tmp_path))
    assert not is_up_to_date(output, recipe(tmp_path, rank=8))
    assert not is_up_to_date(output, recipe(tmp_path, data="more rows"))
    (output / "time.txt").unlink()
    assert not is_up_to_date(output, recipe(tmp_path))
    assert not is_up_to_date(tmp_path / "absent", recipe(tmp_path))


def test_the_place_of_inputs_and_output_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    here, there = recipe(tmp_path), recipe(tmp_path / "elsewhere")
    assert here.fingerprint == there.fingerprint


def test_an_error_leaves_the_old_artifact_and_nothing_else(tmp_path: Path) -> None:
    output = make(tmp_path, recipe(tmp_path), text="old")
    with pytest.raises(RuntimeError), writing(output, recipe(tmp_path)) as folder:
        (folder / "half.txt").write_text("half")
        raise RuntimeError
    assert (output / "sub" / "data.txt").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["artifact", "source.jsonl"]


def test_folders_of_killed_writers_are_removed_and_those_of_live_ones_kept(tmp_path: Path) -> None:
    dead = tmp_path / ".artifact.999999999.x.tmp"
    alive = tmp_path / f".artifact.{os.getpid()}.x.tmp"
    dead.mkdir()
    alive.mkdir()
    make(tmp_path, recipe(tmp_path))
    assert not dead.exists() and alive.exists()


def test_verify_names_changed_and_missing_files(tmp_path: Path) -> None:
    output = make(tmp_path, recipe(tmp_path))
    assert verify(output) == []
    (output / "sub" / "data.txt").write_text("tampered")
    (output / "time.txt").unlink()
    assert verify(output) == ["sub/data.txt", "time.txt"]


def test_a_folder_of_somebody_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(UserError, match="holds files that no stage wrote"):
        check_replaceable(tmp_path)
    with pytest.raises(UserError, match="is a file"):
        check_replaceable(tmp_path / "thesis.docx")


@pytest.mark.parametrize(
    ("text", "words"), [(None, "is not an artifact"), ("{", "is damaged"), ("{}", "is damaged")]
)
def test_reading_what_is_no_artifact(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=words):
        read_manifest(tmp_path)


def test_work_is_found_again_and_protected_work_only_discarded_on_request(tmp_path: Path) -> None:
    output = tmp_path / "artifact"
    with working(output, recipe(tmp_path)) as work:
        (work / "checkpoint").touch()
    with working(output, recipe(tmp_path)) as again:
        assert (again / "checkpoint").exists()
    with working(output, recipe(tmp_path), fresh=True) as emptied:
        assert not (emptied / "checkpoint").exists()
        (emptied / "checkpoint").touch()
    with (
        pytest.raises(UserError, match="holds unfinished work"),
        working(output, recipe(tmp_path, rank=8), protect=True),
    ):
        pass
    assert (work / "checkpoint").exists()
    with working(output, recipe(tmp_path, rank=8)) as other:
        assert not (other / "checkpoint").exists()
        assert not work.exists()
        finish(other)
        assert not other.exists()


def test_two_processes_do_not_work_on_one_output(tmp_path: Path) -> None:
    output = tmp_path / "artifact"
    with (
        working(output, recipe(tmp_path)),
        pytest.raises(UserError, match="another process"),
        working(output, recipe(tmp_path)),
    ):
        pass


def test_input_hash_of_artifact_file_and_folder(tmp_path: Path) -> None:
    output = make(tmp_path, recipe(tmp_path))
    manifest = json.loads((output / "manifest.json").read_text())
    assert input_hash(output) == manifest["content_hash"]
    assert input_hash(output / "time.txt") == file_hash(output / "time.txt")
    assert input_hash(output / "sub") == tree_hash({"data.txt": file_hash(output / "sub" / "data.txt")})


def test_code_hash_covers_the_named_files_alone() -> None:
    config = file_hash(Path(config_module.__file__))
    assert code_hash(("common/config.py",)) == tree_hash({"common/config.py": config})
    assert code_hash(("common/c*fig.py", "common/config.py")) == code_hash(("common/config.py",))
    assert code_hash(("common",)) != code_hash(("common/config.py",))
    with pytest.raises(ValueError, match="no file of the project matches 'commn'"):
        code_hash(("commn",))


def test_unit_hash_is_stable_and_uniform() -> None:
    assert unit_hash("customer-1", 42) == pytest.approx(0.99970, abs=1e-5)
    assert unit_hash("customer-1", 42) != unit_hash("customer-1", 43)
    values = [unit_hash(str(i), 42) for i in range(2000)]
    assert all(0 <= value < 1 for value in values)
    assert abs(sum(values) / len(values) - 0.5) < 0.03
