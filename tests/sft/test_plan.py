"""What --dry-run shows."""

import re
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from common.chat import FAMILIES, load_tokenizer
from sft import plan
from sft.choices import Choices
from sft.data.examples import Examples, load_examples
from sft.plan import bracketed, length_quantiles, show_plan
from tests.sft.small_runs import small_config


def examples_of(folder: Path) -> tuple[Examples, Examples]:
    tokenizer = load_tokenizer(folder / "base", FAMILIES["tiny"])
    splits = [
        load_examples(folder / f"dataset/{s}.jsonl", tokenizer, FAMILIES["tiny"], 256)
        for s in ("train", "val")
    ]
    return splits[0], splits[1]


@pytest.fixture
def shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    config = small_config(tmp_path)
    training, validation = examples_of(tmp_path)
    training.dropped.update({"no_trained_token": 2, "no_assistant_turn": 1})
    training.cut, training.parts, training.truncated, training.lost = 3, 7, 1, 40
    tokenizer = load_tokenizer(tmp_path / "base", FAMILIES["tiny"])
    capsys.readouterr()
    show_plan(config, Choices(), tokenizer, training, validation)
    return capsys.readouterr().out


def test_every_setting_is_shown(shown: str) -> None:
    assert "learning_rate: 0.01" in shown and "lora.r: 4" in shown and "lora.top_layers: null" in shown
    assert "lora.target_modules: [q_proj, k_proj" in shown


def test_lengths_and_shares_are_those_of_the_examples(shown: str) -> None:
    assert re.search(r"│ train │ +40 │ +4,956 │ +59% │ 120 │ 211 │ 213 │ 215 │ 215 │", shown)
    assert re.search(r"│ val +│ +8 │ +1,076 │ +59% │ 123 │", shown)


def test_what_rows_lost_is_told_by_reason(shown: str) -> None:
    assert (
        "train: 3 cut at 256 tokens into 7 examples; 1 lost their end; 2 dropped: no trained token left; "
        "1 dropped: no_assistant_turn; 40 trained tokens lost by that" in shown
    )
    assert "val: nothing cut, truncated or dropped" in shown


def test_steps_evaluations_and_checkpoints_are_counted(shown: str) -> None:
    assert "optimizer steps  6 of 4 (2 x 2), 0.6 epochs" in shown
    assert "warm-up steps    1, then cosine" in shown
    assert "evaluations      3: the base, every 3 steps, the end" in shown
    weights = 2 * 4 * ((32 + 32) * 2 + (32 + 16) * 2 + (32 + 64) * 3)  # blocks, rank, projections
    size = f"{3 * 4 * weights / 1e3:.0f} kB"  # float32: weights and two moments
    assert f"checkpoints      2 of about {size}, of which 2 are kept" in shown
    assert "would train 6 steps of 4 examples and write" in shown


def test_without_colours_brackets_mark_what_is_trained(shown: str) -> None:
    assert "Example row-0, trained tokens in «»" in shown
    assert "<|assistant|>«Your red box is on its way.<|end|>»" in shown
    assert "(trained, context, special)" not in shown


def test_it_fits_100_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    screen = Console(
        file=io.StringIO(), width=100, force_terminal=True, color_system="standard", highlight=False
    )
    for module in ("sft.plan", "common.console"):
        monkeypatch.setattr(f"{module}.console", screen)
    config = small_config(tmp_path)
    training, validation = examples_of(tmp_path)
    show_plan(config, Choices(), load_tokenizer(tmp_path / "base", FAMILIES["tiny"]), training, validation)
    assert isinstance(screen.file, io.StringIO)
    lines = [Text.from_ansi(line).plain for line in screen.file.getvalue().splitlines()]
    assert max(map(len, lines)) <= 100 and len(lines) < 70
    assert "Example row-0, trained tokens in green" in lines


def test_on_a_gpu_memory_and_time_are_estimated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = small_config(tmp_path)
    training, validation = examples_of(tmp_path)
    tokenizer = load_tokenizer(tmp_path / "base", FAMILIES["tiny"])
    show_plan(config, Choices("cuda", "bfloat16", packing=True), tokenizer, training, validation)
    shown = capsys.readouterr().out
    assert "0.6 GiB at most; fits T4 0.0 h, L4 0.0 h" in shown
    assert "would train 6 steps of 4 packed rows" in shown


def test_quantiles_are_of_the_nearest_rank() -> None:
    assert length_quantiles(list(range(101))) == [50, 90, 95, 99, 100]
    assert length_quantiles([7]) == [7] * 5


def test_neighbouring_trained_pieces_share_one_pair_of_brackets() -> None:
    view = Text("4 tokens, 2 trained (legend)\n")
    for piece, style in (
        ("ask", "grey50"),
        ("answer", "green"),
        ("<end>", "bold reverse green"),
        ("!", "grey50"),
    ):
        view.append(piece, style=style)
    assert bracketed(view).plain == "4 tokens, 2 trained\nask«answer<end>»!"


def test_a_split_that_lost_nothing_says_so() -> None:
    lost = Examples(dropped=Counter(), truncated=0)
    assert plan._losses(lost, 256) == "nothing cut, truncated or dropped"
