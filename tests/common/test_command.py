from pathlib import Path

import pytest

from common.command import Options, run
from common.config import Config
from common.errors import GateError, UserError


class Small(Config):
    value: int = 1


def exit_code(tmp_path: Path, function: object, *argv: str) -> object:
    path = tmp_path / "small.yaml"
    path.write_text("value: 3\n")
    with pytest.raises(SystemExit) as caught:
        run(function, Small, "A command.", [str(path), *argv])  # type: ignore[arg-type]
    return caught.value.code


def test_config_and_options_reach_the_function(tmp_path: Path) -> None:
    seen: list[object] = []
    code = exit_code(tmp_path, lambda *both: seen.extend(both), "value=4", "--dry-run")
    assert (code, seen) == (0, [Small(value=4), Options(dry_run=True, force=False)])


def test_overrides_may_stand_on_both_sides_of_an_option(tmp_path: Path) -> None:
    seen: list[object] = []
    assert exit_code(tmp_path, lambda *both: seen.extend(both), "--force", "value=4") == 0
    assert seen == [Small(value=4), Options(dry_run=False, force=True)]


@pytest.mark.parametrize(("error", "code"), [(UserError("no GPU", "free one"), 1), (GateError("ece"), 3)])
def test_expected_failures_have_their_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: UserError, code: int
) -> None:
    def fail(config: Small, options: Options) -> None:
        raise error

    assert exit_code(tmp_path, fail) == code
    shown = capsys.readouterr().err
    assert shown.startswith(f"error: {error.what}") and "Traceback" not in shown


def test_the_fix_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(config: Small, options: Options) -> None:
        raise UserError("no GPU", "free one")

    exit_code(tmp_path, fail)
    assert capsys.readouterr().err == "error: no GPU\n  fix: free one\n"


def test_a_full_disk_is_told_without_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(config: Small, options: Options) -> None:
        raise OSError(28, "No space left on device", "out/adapter")

    assert exit_code(tmp_path, fail) == 1
    assert capsys.readouterr().err == "error: No space left on device: out/adapter\n"


def test_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    def fail(config: Small, options: Options) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail, Small, "", [str(write_small(tmp_path))])


def write_small(folder: Path) -> Path:
    path = folder / "small.yaml"
    path.write_text("value: 3\n")
    return path
