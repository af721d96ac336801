"""Runs a stage on this machine."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from copy import deepcopy
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

from datatrove.pipeline.base import PipelineStep

from data_pipeline.executors.config import LocalConfig
from data_pipeline.executors.stage import StageExecutor


class LocalExecutor(StageExecutor):
    """One process, or a pool of them.

    datatrove's own local executor forks a manager process, which outlives a killed run and keeps the lock of
    the output. Its pool waits for ever when a worker is killed, for want of memory say; this one raises
    BrokenProcessPool.
    """

    def __init__(
        self, name: str, steps: Sequence[PipelineStep], tasks: int, logs: Path, config: LocalConfig
    ) -> None:
        super().__init__(name, steps, tasks, logs)
        self.workers = min(config.workers or _cores(), tasks)

    def _completed(self, ranks: Sequence[int]) -> Iterator[int]:
        if self.workers == 1:
            for done, rank in enumerate(ranks, start=1):
                deepcopy(self)._run_for_rank(rank)
                yield done
            return
        context = get_context("forkserver")
        context.set_forkserver_preload(["data_pipeline.pipeline"])
        with ProcessPoolExecutor(self.workers, context, _end_with_parent) as pool:
            tasks = [pool.submit(self._run_for_rank, rank) for rank in ranks]
            try:
                for done, task in enumerate(as_completed(tasks), start=1):
                    task.result()
                    yield done
            finally:
                pool.shutdown(cancel_futures=True)


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _end_with_parent() -> None:
    """Without this the workers of a killed run would wait for tasks for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
