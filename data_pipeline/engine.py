"""Runs a stage on this machine, on what datatrove's local executor is made of."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr
from copy import deepcopy
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

# loguru would print the values of variables, and so tickets, into the traceback of a failed task.
os.environ.setdefault("LOGURU_DIAGNOSE", "NO")

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.utils.logging import setup_default_logger
from datatrove.utils.stats import PipelineStats

from common import console


class LocalExecutor(LocalPipelineExecutor):
    """datatrove's local executor with a pool of its own, and its log lines in files only.

    datatrove forks a manager process, which outlives a killed run and keeps the lock of the output. Its pool
    waits for ever when a worker is killed, for want of memory say; this one raises BrokenProcessPool.
    """

    def run(self) -> None:
        """Run the tasks that are not completed yet; raises what the first failing one raised."""
        ranks = self.get_incomplete_ranks()
        for _ in console.track(self._results(ranks), Path(self.logging_dir.path).name, len(ranks), "tasks"):
            pass

    def _results(self, ranks: Sequence[int]) -> Iterator[Any]:
        if self.workers == 1:
            for rank in ranks:
                yield deepcopy(self)._run_for_rank(rank)
        else:
            context = get_context("forkserver")
            context.set_forkserver_preload(["data_pipeline.pipeline"])
            with ProcessPoolExecutor(self.workers, context, _end_with_parent) as pool:
                yield from pool.map(self._run_for_rank, ranks)

    def _run_for_rank(self, rank: int, local_rank: int = 0, node_rank: int = -1) -> PipelineStats:
        try:
            with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
                return super()._run_for_rank(rank, local_rank, node_rank)
        finally:
            setup_default_logger()


def _end_with_parent() -> None:
    """Without this the workers of a killed run would wait for tasks for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def run_stage(name: str, steps: Sequence[PipelineStep], tasks: int, workers: int, work: Path) -> None:
    """Run the tasks of a stage that an earlier run did not complete; their logs go to `work/logs/<name>`."""
    logs = work / "logs" / name
    LocalExecutor(list(steps), tasks=tasks, workers=min(workers, tasks), logging_dir=str(logs)).run()
