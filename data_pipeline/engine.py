"""Runs a stage where the config says."""

from collections.abc import Sequence
from pathlib import Path

from datatrove.pipeline.base import PipelineStep

from data_pipeline.executors.config import ExecutorConfig, LocalConfig, RayConfig, SlurmConfig


def run_stage(
    name: str, steps: Sequence[PipelineStep], tasks: int, executor: ExecutorConfig, work: Path
) -> None:
    """Run the tasks of a stage that an earlier run did not complete; their logs go to `work/logs/<name>`.

    Raises:
        TaskFailed: a step raised something unexpected. UserError and OSError pass as they are.
    """
    logs = work / "logs" / name
    match executor:
        case LocalConfig():
            from data_pipeline.executors.local import LocalExecutor

            LocalExecutor(name, steps, tasks, logs, executor).run()
        case RayConfig():
            from data_pipeline.executors.ray import RayExecutor

            RayExecutor(name, steps, tasks, logs, executor).run()
        case SlurmConfig():
            from data_pipeline.executors.slurm import SlurmExecutor

            SlurmExecutor(name, steps, tasks, logs, executor).run()
