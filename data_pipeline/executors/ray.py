"""Runs a stage on Ray."""

import logging
import os
import socket
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datatrove.pipeline.base import PipelineStep

from common import console
from common.errors import UserError
from data_pipeline.executors.config import RayConfig
from data_pipeline.executors.stage import PROJECT, StageExecutor

_ATTEMPTS = 3
_CONNECT_SECONDS = 10.0
_OBJECT_STORE_BYTES = 100 << 20  # tasks hand on files, not objects
_GIB = 1 << 30


class RayExecutor(StageExecutor):
    """A Ray task for each task of the stage.

    datatrove's own Ray executor ends as if all were well when a step raised, waits for ever for a worker that
    was killed and for resources that the cluster lacks, and keeps its logs in /tmp until the task ends. Here
    the first error is raised, and a task whose worker or machine died runs again, three times in all.
    """

    def __init__(
        self, name: str, steps: Sequence[PipelineStep], tasks: int, logs: Path, config: RayConfig
    ) -> None:
        super().__init__(name, steps, tasks, logs.absolute())
        self.config = config

    def _completed(self, ranks: Sequence[int]) -> Iterator[int]:
        ray = connect(self.config)
        run = ray.remote(_run_for_rank).options(max_retries=0, **_resources(self.config))
        executor, folder = ray.put(self), os.getcwd()
        waiting, running = deque(ranks), dict[Any, int]()
        losses: Counter[int] = Counter()
        try:
            while waiting or running:
                while waiting and len(running) < (self.config.workers or len(ranks)):
                    rank = waiting.popleft()
                    running[run.remote(executor, rank, folder)] = rank
                (ended,), _ = ray.wait(list(running))
                rank = running.pop(ended)
                if self._succeeded(ended, rank, losses):
                    yield len(ranks) - len(waiting) - len(running)
                else:
                    waiting.append(rank)
        finally:
            for task in running:
                ray.cancel(task, force=True)

    def _succeeded(self, task: Any, rank: int, losses: Counter[int]) -> bool:
        """False when the task's worker died, and it may be tried again."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            ray.get(task)
        except RayTaskError as error:
            raise error.cause from None
        except RayError as error:
            losses[rank] += 1
            what = f"the worker on task {rank} of stage {self.name} died ({type(error).__name__})"
            if losses[rank] == _ATTEMPTS:
                fix = "it may need more memory: raise mem_per_cpu_gb, or have fewer workers"
                raise UserError(f"{what}, for the {_ATTEMPTS}rd time", fix) from None
            console.warn(f"{what}: trying it again")
            return False
        return True


def connect(config: RayConfig) -> Any:
    """The module `ray`, connected to the config's cluster; the connection lasts as long as this process.

    Raises:
        UserError: Ray is not installed; there is no such cluster; a Ray started here has too few resources.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UserError("executor ray: Ray is not installed", "pip install 'supportlm[ray]'") from None
    if not ray.is_initialized():
        _start(ray, config)
    _check_room(ray, config)
    return ray


def _start(ray: Any, config: RayConfig) -> None:
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    variables = {"LOGURU_DIAGNOSE": "NO", "PYTHONPATH": path}
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    settings["runtime_env"] = {"env_vars": variables}
    if config.address is None:
        cpus = config.workers * config.cpus_per_task if config.workers else None
        settings |= {"num_cpus": cpus, "object_store_memory": _OBJECT_STORE_BYTES}
        ray.init("local", include_dashboard=False, **settings)
        return
    try:
        _probe(config.address)
        ray.init(config.address, **settings)
    except OSError:
        what = f"executor ray: there is no cluster at address '{config.address}'"
        raise UserError(what, "start one by 'ray start', or leave the address out") from None


def _probe(address: str) -> None:
    """Ray itself tries for minutes, and then ends the process. Raises OSError when nobody listens."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()


def _resources(config: RayConfig) -> dict[str, Any]:
    if config.mem_per_cpu_gb is None:
        return {"num_cpus": config.cpus_per_task}
    memory = int(config.mem_per_cpu_gb * config.cpus_per_task * _GIB)
    return {"num_cpus": config.cpus_per_task, "memory": memory}


def _check_room(ray: Any, config: RayConfig) -> None:
    """A task that no machine has room for would wait for ever, unless the cluster grows."""
    memory = (config.mem_per_cpu_gb or 0) * config.cpus_per_task * _GIB
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(
        machine.get("CPU", 0) >= config.cpus_per_task and machine.get("memory", 0) >= memory
        for machine in machines
    ):
        return
    asked = f"{config.cpus_per_task} CPUs and {memory / _GIB:g} GiB"
    if config.address is None:
        raise UserError(f"executor ray: this machine has no {asked} for a task", "ask for less a task")
    console.warn(f"no machine of the Ray cluster has {asked} for a task: it waits until one joins")


def _run_for_rank(executor: RayExecutor, rank: int, folder: str) -> None:
    """Paths of a config are relative to where the command was started."""
    os.chdir(folder)
    executor._run_for_rank(rank)
