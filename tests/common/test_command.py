from pathlib import Path

import pytest

from common.command import ALL_GPUS, Options, parse, run
from common.config import Config, InputPath
from common.errors import ConfigError, GateError, UserError


class Small(Config):
    value: int = 1


class Needs(Config):
    data: InputPath


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


@pytest.mark.parametrize(
    ("argv", "asked", "value"),
    [
        (["--estimate", "H100"], "H100", 3),
        (["--estimate"], ALL_GPUS, 3),
        (["--estimate", "value=4"], ALL_GPUS, 4),
        (["value=4", "--estimate", "RTX 4090"], "RTX 4090", 4),
        ([], None, 3),
    ],
)
def test_an_estimate_may_name_a_gpu(tmp_path: Path, argv: list[str], asked: str | None, value: int) -> None:
    config, options = parse(Small, "A command.", [str(write_small(tmp_path)), *argv], estimates=True)
    assert (config.value, options.estimate) == (value, asked)


def test_only_commands_that_make_estimates_offer_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(tmp_path, lambda *both: None, "--estimate") == 2
    assert "unrecognized arguments: --estimate" in capsys.readouterr().err


def test_an_estimate_needs_no_inputs_yet(tmp_path: Path) -> None:
    path = tmp_path / "needs.yaml"
    path.write_text("data: nowhere\n")
    config, _ = parse(Needs, "A command.", [str(path), "--estimate"], estimates=True)
    assert config.data == Path("nowhere")
    with pytest.raises(ConfigError, match="no such file or folder: 'nowhere'"):
        parse(Needs, "A command.", [str(path)], estimates=True)


def write_small(folder: Path) -> Path:
    path = folder / "small.yaml"
    path.write_text("value: 3\n")
    return path
