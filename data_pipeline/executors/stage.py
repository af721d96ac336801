"""What the executors share: a stage's tasks that are not completed yet, their logs and the progress bar."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr
from pathlib import Path

from datatrove.executor.base import DistributedEnvVars, PipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.utils.logging import setup_default_logger
from datatrove.utils.stats import PipelineStats

from common.console import progress
from data_pipeline import models
from data_pipeline.executors.failures import WithholdText

PROJECT = Path(__file__).resolve().parents[2]
"""What has to be on a worker's PYTHONPATH."""


class StageExecutor(PipelineExecutor):
    """Runs each task of a stage that no earlier run completed, through datatrove's own loop over its steps.

    A task is completed when the file `completions/<rank>` is there. Its log goes to `logs/`, and nothing to
    the screen: a progress bar is there instead.
    """

    def __init__(self, name: str, steps: Sequence[PipelineStep], tasks: int, logs: Path) -> None:
        super().__init__([*steps, WithholdText()], logging_dir=str(logs))
        self.name = name
        self.tasks = tasks

    def run(self) -> None:
        """Run the tasks; raises what the first one that failed raised."""
        if ranks := self.get_incomplete_ranks():
            try:
                follow(self.name, self._completed(ranks), self.tasks, len(ranks))
            finally:
                models.forget()

    @abstractmethod
    def _completed(self, ranks: Sequence[int]) -> Iterator[int]:
        """Run the tasks `ranks`, and yield the number of those completed whenever there is a new one."""

    @property
    def world_size(self) -> int:
        return self.tasks

    def get_distributed_env(self, node_rank: int = -1) -> DistributedEnvVars:
        """See `no_distributed_env`."""
        return no_distributed_env(type(self).__name__)

    def _run_for_rank(self, rank: int, local_rank: int = 0, node_rank: int = -1) -> PipelineStats:
        models.begin_task(self.logging_dir.path)
        try:
            with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
                return super()._run_for_rank(rank, local_rank, node_rank)
        finally:
            setup_default_logger()


def no_distributed_env(executor: str) -> DistributedEnvVars:
    """What datatrove tells steps that span machines, as environment variables; no step here does."""
    return DistributedEnvVars(
        datatrove_node_ips="",
        datatrove_cpus_per_task="",
        datatrove_mem_per_cpu="",
        datatrove_gpus_on_node="",
        datatrove_executor=executor,
    )


def follow(stage: str, counts: Iterable[int], tasks: int, left: int) -> None:
    """Show a stage's progress: `counts` are the completed ones of the `left` tasks, as they become more."""
    with progress() as display:
        before = tasks - left
        task = display.add_task(stage, total=tasks, completed=before, rate="")
        for done in counts:
            elapsed = display.tasks[task].elapsed or 0.0
            rate = f"{60 * done / elapsed:,.1f} tasks/min" if elapsed else ""
            display.update(task, completed=before + done, rate=rate)
