import re
from typing import Any

import pytest
from transformers import TrainerControl, TrainerState

from sft.monitor.run_log import RunLog, duration

ARGUMENTS: Any = None


def log(history: list[dict[str, Any]], *, max_steps: int = 158) -> None:
    """Show the last record of a history."""
    shown = RunLog("support_adapter_r16")
    shown.on_step_begin(ARGUMENTS, TrainerState(global_step=0), TrainerControl())
    state = TrainerState(global_step=history[-1]["step"], max_steps=max_steps, log_history=history)
    shown.on_log(ARGUMENTS, state, TrainerControl(), logs=history[-1])


def test_a_training_line_has_speed_memory_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"step": 50, "epoch": 0.6329, "loss": 2.1014, "grad_norm": 0.4132, "learning_rate": 1.23456e-4}
    log([record | {"tok_per_s": 5102.4, "memory_gib": 21.27}])
    line = capsys.readouterr().out
    assert re.fullmatch(
        r"\[TRAIN\] run_id=support_adapter_r16 step=50/158 epoch=0\.63 lr=1\.235e-04 loss=2\.101 "
        r"grad_norm=0\.4132 tok_per_s=5102 mem=21\.3GiB eta=\d+s\n",
        line,
    )
    assert len(line) < 160


@pytest.mark.parametrize(
    ("losses", "tail"),
    [
        ([2.5], "step=0/158 val_loss=2.5\n"),
        ([2.5, 1.955], "step=50/158 val_loss=1.955 best=yes\n"),
        ([2.5, 1.9, 1.955], "step=100/158 val_loss=1.955 best=no\n"),
        ([2.5, 2.6], "step=50/158 val_loss=2.6 best=no\n"),  # the base was better
    ],
)
def test_an_evaluation_line_says_whether_it_is_the_best_so_far(
    losses: list[float], tail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log([{"step": 50 * number, "eval_loss": loss} for number, loss in enumerate(losses)])
    assert capsys.readouterr().out == f"[EVAL] run_id=support_adapter_r16 {tail}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (59.6, "1m00s"), (190, "3m10s"), (7500, "2h05m"), (86400 * 3 + 3600 * 4, "3d04h")],
)
def test_time_left_is_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text
