"""Processes of their own that use a registry: see `jobs.py` for what they do."""

import os
import subprocess
import sys
from pathlib import Path

from mlflow import MlflowClient

ROOT = Path(__file__).resolve().parents[3]
JOBS = Path(__file__).with_name("jobs.py")


def job(*arguments: object) -> subprocess.Popen[str]:
    """Start `jobs.py` in a process of its own."""
    command = [sys.executable, str(JOBS), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def output(process: subprocess.Popen[str]) -> str:
    """What a job printed, once it has ended well and without noise."""
    out, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (0, "")
    return out


def runs(uri: str, status: str) -> list[str]:
    """Ids of the registry's runs that are not deleted."""
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("registry").experiment_id
    return [run.info.run_id for run in client.search_runs([experiment], f"attributes.status = '{status}'")]
