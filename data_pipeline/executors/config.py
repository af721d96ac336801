"""Which machines run a build, and what they are asked for.

Nothing of it changes a dataset's content. Slurm and Ray need one file system, at the same path on all
machines, that holds the sources, the output and the Python environment.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from common.config import Config

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _in_quotes(value: object) -> object:
    if isinstance(value, int):
        raise ValueError(f"write it in quotes: YAML reads 2:00:00 as a number, here {value}")
    return value


TimeLimit = Annotated[
    str, StringConstraints(pattern=r"^(\d+-)?\d+(:\d{2}){0,2}$"), BeforeValidator(_in_quotes)
]


class LocalConfig(Config):
    """Processes of this machine."""

    type: Literal["local"] = "local"
    workers: int | None = Field(None, ge=1)
    """Processes at the same time, of 200 to 500 MB each. Null takes as many as this process may use cores."""


class RayConfig(Config):
    """A Ray cluster, or a Ray of its own on this machine."""

    type: Literal["ray"]
    address: Text | None = None
    """Of a running cluster: host:port, or auto for the one that this machine is part of. Null starts a Ray on
    this machine, which ends with the run."""
    workers: int | None = Field(None, ge=1)
    """Tasks at the same time; null as many as there is room for."""
    cpus_per_task: int = Field(1, ge=1)
    mem_per_cpu_gb: float | None = Field(None, gt=0)
    """Set aside for each CPU of a task, in GiB; null lets Ray place tasks by CPUs alone."""


class SlurmConfig(Config):
    """A Slurm cluster. The command runs on a login node, submits a job array a stage and waits for it."""

    type: Literal["slurm"]
    partition: Text
    time: TimeLimit
    """The limit for one task, as sbatch takes it: "2:00:00", or "1-12" for a day and a half."""
    qos: Text | None = None
    account: Text | None = None
    cpus_per_task: int = Field(1, ge=1)
    mem_per_cpu_gb: int = Field(2, ge=1)
    workers: int | None = Field(None, ge=1)
    """Tasks at the same time; null as many as the cluster lets run."""
    max_array_size: int = Field(1000, ge=1)
    """The cluster's MaxArraySize less one; a stage with more tasks is submitted as several arrays."""
    setup: Text | None = None
    """Shell commands that make Python ready on a node, such as `source /shared/venv/bin/activate`; null takes
    the Python that runs this command."""
    poll_seconds: float = Field(10.0, gt=0)


def _local_unless_said(value: Any) -> Any:
    """So that `executor.workers=1` is enough."""
    return {"type": "local", **value} if isinstance(value, dict) else value


ExecutorConfig = Annotated[
    LocalConfig | RayConfig | SlurmConfig, Field(discriminator="type"), BeforeValidator(_local_unless_said)
]
"""Local where no type is said. Leave it out of the recipe (`exclude=True`): it changes the speed alone."""
