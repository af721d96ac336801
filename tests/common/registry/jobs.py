"""What tests let other processes do: `python jobs.py JOB ARGUMENTS`."""

import json
import os
import signal
import sys
from pathlib import Path

from common.errors import UserError
from common.registry import Registry


def register(uri: str, name: str, folder: str, count: str) -> None:
    """Register a folder several times; print the numbers."""
    registry = Registry(uri)
    print(json.dumps([registry.register(name, Path(folder)).number for _ in range(int(count))]))


def promote(uri: str, name: str, *numbers: str) -> None:
    """Make one version after the other champion."""
    for number in numbers:
        Registry(uri).alias(name, "champion", int(number), why=f"process {os.getpid()}")


def attach(uri: str, name: str, *files: str) -> None:
    """Attach files to version 1; print those that were accepted."""
    accepted = []
    for file in files:
        try:
            Registry(uri).attach(name, 1, Path(file))
            accepted.append(file)
        except UserError as error:
            assert "has another" in error.what, error
    print(json.dumps(accepted))


def killed_at(method: str, when: str, job: str, *arguments: str) -> None:
    """Run another job and be killed (`kill -9`) before or after a call of a method of MLflow's client."""
    from mlflow import MlflowClient

    original = getattr(MlflowClient, method)

    def call(*args, **kwargs):
        if when == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(MlflowClient, method, call)
    JOBS[job](*arguments)


def read_only(other_uri: str, uri: str, name: str, folder: str) -> None:
    """Without the right to write: resolve, verify and fetch version 1, then try to register."""
    Registry(other_uri).models()  # imports all that is imported lazily, while it may be read
    if os.geteuid() == 0:
        os.seteuid(65534)
    registry = Registry(uri)
    version = registry.resolve(f"{name}/1")
    print(json.dumps([version.label, bool(registry.verify(name, 1))]), flush=True)
    registry.register(name, Path(folder))


JOBS = {job.__name__: job for job in (register, promote, attach, killed_at, read_only)}

if __name__ == "__main__":
    try:
        JOBS[sys.argv[1]](*sys.argv[2:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
