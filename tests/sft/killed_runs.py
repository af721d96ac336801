"""Run by test_resume.py: trains once undisturbed, then for each place kills a run there and resumes it.

    python -m tests.sft.killed_runs FOLDER PLACE [PLACE ...]

A place is `micro:N`, in the N-th micro-batch's backward pass, `save:N`, in the N-th save, with the weights
written and the state not, or `publish:1`, when the result is written. `stopped-publish:1` is the last one in
a run that stops early. Runs are forks of this process, which has the imports behind it.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sft.release.adapter
import sft.setup
from common.command import Options
from sft.train import train
from sft.trainer import SupportTrainer
from tests.sft.small_runs import small_config

RUN: dict[str, Any] = {"max_steps": 14, "eval_steps": 4}
"""Ends within its second epoch, which has 10 steps as the first."""
STOPPED: dict[str, Any] = {
    "learning_rate": 0.1,
    "lr_scheduler_type": "constant_with_warmup",
    "early_stopping_patience": 1,
    "eval_steps": 2,
    "max_steps": 40,
}
"""Steps so large that the validation loss rises now and then: the run ends early."""


def main() -> None:
    folder, *places = sys.argv[1:]
    for whole in ("whole", "stopped-whole"):
        assert _run(Path(folder), whole, None) == 0
    for place in places:
        name = place.replace(":", "-")
        assert _run(Path(folder), name, place) == signal.SIGKILL, f"{place}: it was to be killed"
        assert not (Path(folder) / name).exists()
        assert _run(Path(folder), name, None) == 0


def _run(folder: Path, name: str, place: str | None) -> int:
    """0 or the signal that ended the fork."""
    child = os.fork()
    if child == 0:
        if place is not None:
            _kill_at(*place.removeprefix("stopped-").split(":"))
        settings = STOPPED if name.startswith("stopped-") else {}
        train(small_config(folder, **(RUN | settings), output=folder / name), Options())
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _kill_at(what: str, number: str) -> None:
    if what == "publish":
        sft.release.adapter.write_adapter = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
    elif what == "micro":
        SupportTrainer.training_step = _counting(SupportTrainer.training_step, int(number))
    else:
        SupportTrainer._save_rng_state = _counting(SupportTrainer._save_rng_state, int(number))


def _counting(method: Callable[..., Any], number: int) -> Callable[..., Any]:
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = method(*args, **kwargs)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return counted


if __name__ == "__main__":
    assert sft.setup
    main()
