"""One training run of a search, in a process of its own.

The process gives all memory back when it ends, can be killed for memory without taking the search along, and
ends with its parent, however that ends. It writes no artifact, no checkpoint and no tracker's record.
"""

import math
import multiprocessing
import os
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, TextIO

from common.chat import FAMILIES, load_tokenizer
from common.console import console, quiet_libraries
from common.errors import UserError
from common.models import source
from sft.choices import resolve
from sft.config import TrainConfig
from sft.data.splits import load_splits


class Evaluation(NamedTuple):
    """A validation loss (nats a trained token) after `step` of `steps` optimizer steps."""

    step: int
    steps: int
    loss: float


class TrialFailed(Exception):
    """A trial came to no end. The text is the reason."""


class _Failure(NamedTuple):
    reason: str


def train_in_child(config: TrainConfig, evaluated: Callable[[Evaluation], None]) -> None:
    """Train in a new process, and call `evaluated` after each evaluation; an error there ends the process.

    Raises:
        TrialFailed: the run failed, the process was killed, or a validation loss is not finite.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="sft-tune-") as work, receiving:
        child = context.Process(target=_child, args=(config, Path(work), sending))
        child.start()
        sending.close()  # so that the child's end is the only one, and its death ends the messages
        try:
            while (message := _next(receiving)) is not None:
                if isinstance(message, _Failure):
                    raise TrialFailed(message.reason)
                if not math.isfinite(message.loss):
                    raise TrialFailed(f"the validation loss is {message.loss} at step {message.step}")
                evaluated(message)
            child.join()
        finally:
            child.kill()
            child.join()
    if child.exitcode:
        raise TrialFailed(_why(child.exitcode))


def _next(receiving: Connection) -> Evaluation | _Failure | None:
    try:
        message: Evaluation | _Failure = receiving.recv()
    except EOFError:
        return None
    return message


def _why(exitcode: int) -> str:
    if exitcode == -signal.SIGKILL:
        return "its process was killed (SIGKILL): most often, the machine was out of memory"
    if exitcode < 0:
        return f"its process was ended by {signal.Signals(-exitcode).name}"
    return f"its process ended with exit code {exitcode}"


def _child(config: TrainConfig, work: Path, sending: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    screen = _quiet(work)
    try:
        _train(config, work, sending.send)
    except UserError as error:
        sending.send(_Failure(error.what))
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            sending.send(_Failure(f"out of memory: {first}"))
        else:
            traceback.print_exc(file=screen)
            sending.send(_Failure(f"{type(error).__name__}: {first}"))


def _quiet(work: Path) -> TextIO:
    """Keep the screen from libraries, which would warn of the same in every trial; return it, for errors."""
    console.quiet = True
    screen = os.fdopen(os.dup(2), "w", buffering=1)  # by lines: the process may be killed
    with (work / "warnings.txt").open("w") as file:
        os.dup2(file.fileno(), 2)
    return screen


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _train(config: TrainConfig, work: Path, report: Callable[[Evaluation], None]) -> None:
    choices = resolve(config)
    if choices.backend == "unsloth":
        from sft.backends import unsloth

        unsloth.import_first()
    tokenizer = load_tokenizer(source(config.model), FAMILIES[config.chat_template])
    training, validation = load_splits(config, tokenizer)
    quiet_libraries()
    from sft.setup import make_trainer
    from sft.tune.reports import Reports

    trainer = make_trainer(config, choices, tokenizer, training, validation, work)
    trainer.add_callback(Reports(report))  # after those that ask for a checkpoint
    trainer.train()
