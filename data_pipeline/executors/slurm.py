"""Runs a stage on a Slurm cluster."""

import getpass
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from datatrove.executor.base import DistributedEnvVars
from datatrove.executor.slurm import SlurmPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.utils.logging import logger

from common import console
from common.errors import UserError
from common.provenance import digest
from data_pipeline.executors.config import SlurmConfig
from data_pipeline.executors.failures import WithholdText
from data_pipeline.executors.stage import PROJECT, follow, no_distributed_env

_FAILURES = 10
_SETTLE_SECONDS = 90.0  # a network file system may show a new file up to a minute late


class SlurmExecutor(SlurmPipelineExecutor):
    """datatrove's Slurm executor, which waits for what it submitted.

    The job's name has a hash of the folder of the stage's logs. By it a run finds the job that a killed run
    left in the queue, and waits for that one instead of submitting another.
    """

    def __init__(
        self, name: str, steps: Sequence[PipelineStep], tasks: int, logs: Path, config: SlurmConfig
    ) -> None:
        logs = logs.absolute()
        super().__init__(
            [*steps, WithholdText()],
            tasks=tasks,
            time=config.time,
            partition=config.partition,
            cpus_per_task=config.cpus_per_task,
            mem_per_cpu_gb=config.mem_per_cpu_gb,
            workers=config.workers or -1,
            job_name=f"{name}-{digest(str(logs))[:12]}",
            qos=config.qos or "",
            env_command=_environment(config),
            sbatch_args={"chdir": os.getcwd(), **({"account": config.account} if config.account else {})},
            max_array_size=config.max_array_size,
            logging_dir=str(logs),
        )
        self.name = name
        self.poll_seconds = config.poll_seconds

    def run(self) -> None:
        """On a node, run the task's step; elsewhere, see to it that all tasks are completed.

        Raises:
            UserError: there is no Slurm here, it refuses the job, or the job ended without some of its tasks.
        """
        if "SLURM_ARRAY_TASK_ID" in os.environ:
            super().run()
        elif ranks := self.get_incomplete_ranks():
            for command in ("sbatch", "squeue"):
                if shutil.which(command) is None:
                    what = f"executor slurm: there is no '{command}' on this machine"
                    raise UserError(what, "start the command on a login node of the cluster")
            follow(self.name, self._counts(len(ranks)), self.tasks, len(ranks))

    def _counts(self, left: int) -> Iterator[int]:
        """Tasks completed of those `left`, again and again until there is none left."""
        jobs = self._queued()
        if jobs:
            console.run_log("SLURM", stage=self.name, found=",".join(sorted(jobs)))
            yield from self._until_ended(jobs, left)
        if self.get_incomplete_ranks():
            jobs = self._submit()
            yield from self._until_ended(jobs, left)
        if self.get_incomplete_ranks():
            yield from self._settle(jobs, left)

    def _until_ended(self, jobs: set[str], left: int) -> Iterator[int]:
        """Adds to `jobs` those of a stage with several arrays."""
        while (incomplete := len(self.get_incomplete_ranks())) and (queued := self._queued()):
            jobs |= queued
            yield left - incomplete
            time.sleep(self.poll_seconds)

    def _settle(self, jobs: set[str], left: int) -> Iterator[int]:
        """The job has ended, but files of completed tasks may still be on their way; or it has failed."""
        states = _states(jobs)
        deadline = time.monotonic() + (_SETTLE_SECONDS if set(states) <= {"COMPLETED"} else 0.0)
        while (incomplete := self.get_incomplete_ranks()) and time.monotonic() < deadline:
            yield left - len(incomplete)
            time.sleep(self.poll_seconds)
        if incomplete:
            told = ", ".join(f"{state} {count:,}" for state, count in states.most_common())
            raise UserError(
                f"{len(incomplete):,} of {self.tasks:,} tasks of stage {self.name} were not completed by "
                f"Slurm job {','.join(sorted(jobs))} ({told or 'no accounting'})",
                f"look at {self.slurm_logs_folder}, for the first of them at "
                f"{self.logging_dir.resolve_paths(f'logs/task_{incomplete[0]:05d}.log')}; "
                "the same command goes on where it was",
            )

    def _submit(self) -> set[str]:
        logger.disable(SlurmPipelineExecutor.__module__)  # what it says goes to the run log below
        try:
            self.launch_job()
        except subprocess.CalledProcessError as error:
            what = f"sbatch refused stage {self.name} with status {error.returncode}; it said why above"
            raise UserError(what, "check partition, qos, account, time and the memory asked for") from None
        console.run_log("SLURM", stage=self.name, job=self.job_id, tasks=len(self.get_incomplete_ranks()))
        return {str(self.job_id)}

    def _queued(self) -> set[str]:
        """Ids of the stage's jobs that wait or run. Slurm's controller may be too busy to answer at once."""
        command = ["squeue", "--noheader", f"--user={getpass.getuser()}"]
        command += [f"--name={self.job_name}", "--format=%A"]
        for _ in range(_FAILURES):
            asked = subprocess.run(command, capture_output=True, text=True)
            if asked.returncode == 0:
                return set(asked.stdout.split())
            time.sleep(self.poll_seconds)
        raise UserError(
            f"squeue failed {_FAILURES} times: {asked.stderr.strip().splitlines()[-1:]}",
            "the job goes on; the same command finds it again",
        )

    def launch_merge_stats(self) -> None:
        """No job for statistics: the stages' own counts are complete after a resume, datatrove's are not."""

    def get_distributed_env(self, node_rank: int = -1) -> DistributedEnvVars:
        """Without a call of scontrol in every task."""
        return no_distributed_env("SLURM")


def _environment(config: SlurmConfig) -> str:
    """Shell commands ahead of the task: the Python that runs this, unless the config says otherwise."""
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    own = f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
    return "\n".join(
        [config.setup or own, f"export PYTHONPATH={shlex.quote(path)}", "export LOGURU_DIAGNOSE=NO"]
    )


def _states(jobs: set[str]) -> Counter[str]:
    """How many tasks of the jobs ended in which state; empty where Slurm keeps no accounts."""
    command = [
        "sacct",
        "--noheader",
        "--allocations",
        "--parsable2",
        "--format=State",
        f"--jobs={','.join(sorted(jobs))}",
    ]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return Counter()
    return Counter(line.split()[0] for line in asked.stdout.splitlines() if line.strip())
