"""Run by other tests: `sft.train` with a disturbance, in the second process if there are two.

    python -m tests.sft.disturbed_run memory:11 CONFIG
    torchrun --nproc_per_node 2 -m tests.sft.disturbed_run kill:21 CONFIG

In the N-th micro-batch `kill:N` kills the process, `nan:N` makes the loss a NaN, and at `memory:N` the GPU's
memory is not enough.
"""

import os
import runpy
import signal
import sys
from typing import Any

import torch

from sft import ranks
from sft.trainer import SupportTrainer


def main() -> None:
    disturbance, config = sys.argv[1:]
    what, number = disturbance.split(":")
    if ranks.world_size() == 1 or not ranks.is_main():
        _disturb(what, int(number))
    sys.argv = ["sft.train", config]
    runpy.run_module("sft.train", run_name="__main__", alter_sys=True)


def _disturb(what: str, number: int) -> None:
    plain = SupportTrainer.compute_loss
    calls = 0

    def disturbed(trainer: SupportTrainer, model: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += model.training
        loss = plain(trainer, model, *arguments, **named)
        if calls != number or not model.training:
            return loss
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return loss * float("nan")

    SupportTrainer.compute_loss = disturbed  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
