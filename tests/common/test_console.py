import pytest

from common.console import choice, run_log, table, track, warn


def test_run_log_is_one_line_of_keys_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    run_log("TRAIN", run_id="tiny run", step="50/469", lr=1.25e-05, loss=2.34567, tok_per_s=5012)
    assert capsys.readouterr().out == (
        "[TRAIN] run_id=tiny_run step=50/469 lr=1.250e-05 loss=2.346 tok_per_s=5012\n"
    )


def test_long_lines_are_not_broken_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    run_log("TRAIN", value="x" * 300)
    assert capsys.readouterr().out.count("\n") == 1


def test_choice_gives_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    choice("dtype", "bfloat16", "the CPU has amx_bf16")
    assert capsys.readouterr().out == "  dtype            bfloat16 (the CPU has amx_bf16)\n"


def test_square_brackets_are_text_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    warn("row [bold] is [/broken]")
    assert capsys.readouterr().out == "warning: row [bold] is [/broken]\n"


def test_track_yields_everything_in_order() -> None:
    assert list(track(iter(range(5)), "counting", total=5, unit="rows")) == [0, 1, 2, 3, 4]


def test_table_shows_every_cell(capsys: pytest.CaptureFixture[str]) -> None:
    table("result", ["system", "loss"], [["base", 4.2], ["tuned", 1.9]])
    shown = capsys.readouterr().out
    assert all(cell in shown for cell in ("result", "system", "base", "4.2", "tuned", "1.9"))
