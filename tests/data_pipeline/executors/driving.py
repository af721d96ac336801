"""Builds on a given executor, in a process of their own that can be killed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from common.artifacts import Manifest, read_manifest
from tests.data_pipeline.building import PROMPT, chat, write_lines

Executor = Mapping[str, Any]

DRIVER = """
import sys
from common.command import run
from data_pipeline import shards
from data_pipeline.build import build
from data_pipeline.config import BuildConfig
shards._SMALLEST = 3000  # two tasks for every file
run(build, BuildConfig, "", sys.argv[1:])
"""


def tickets(folder: Path, files: int = 5, rows: int = 20) -> Path:
    """Files of tickets of which some are repeated, and one in each has a defect."""
    for file in range(files):
        numbers = [(file * rows + row) // 2 for row in range(rows)]
        said = [
            chat(
                f"Good morning, where is the parcel with volume {number} of my order, please?",
                f"Thank you for asking. It left our depot {number % 9 + 1} days ago and is on its way.",
                customer_id=number % 7,
            )
            for number in numbers
        ]
        write_lines(folder / f"{file:02d}.jsonl", [*said, b'{"secret'])
    return folder


class Build:
    """The command that builds `source` into `output` on an executor."""

    def __init__(self, output: Path, source: Path, executor: Executor, **settings: Any) -> None:
        self.output = output
        config = {
            "output": str(output),
            "system_prompt": PROMPT,
            "sources": [{"type": "chat", "path": str(source)}],
            "split": {"train": 0.5, "val": 0.25, "test": 0.25},
            "max_rejected_share": 0.9,
            "pii": None,  # the detector takes seconds to load, in every worker
            "level3": None,
            "executor": dict(executor),
            **settings,
        }
        path = output.with_suffix(".yaml")
        path.write_text(yaml.safe_dump(config))
        self.command = [sys.executable, "-c", DRIVER, str(path)]
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self) -> "subprocess.CompletedProcess[str]":
        """To its end, whatever that is."""
        return subprocess.run(self.command, env=self.environment, capture_output=True, text=True)

    def finish(self) -> Manifest:
        ended = self.run()
        assert ended.returncode == 0, ended.stderr
        return read_manifest(self.output)

    @property
    def work(self) -> Path:
        (folder,) = (self.output.parent / ".work").glob(f"{self.output.name}-*")
        return folder


def kill_at_random_moments(build: Build, moments: int, seed: int) -> list[int]:
    """Start the build again and again, and kill it at moments spread over the time that a whole run takes.

    Returns how many tasks were completed at each kill.
    """
    rng = random.Random(seed)
    completed = []
    for _ in range(moments):
        run = build.start()
        _wait_for_a_task(build, run, more_than=completed[-1] if completed else 0)
        time.sleep(rng.uniform(0, 0.2))
        os.kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=60)  # returns once no worker is left that could write to the pipe
        completed.append(_completed(build))
    return completed


def _completed(build: Build) -> int:
    return len(list((build.output.parent / ".work").glob(f"{build.output.name}-*/logs/*/completions/*")))


def _wait_for_a_task(build: Build, run: "subprocess.Popen[str]", more_than: int) -> None:
    deadline = time.monotonic() + 120
    while _completed(build) <= more_than:
        assert run.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def dataset_bytes(output: Path) -> dict[str, bytes]:
    """The files of a dataset but its manifest, which has the time in it."""
    return {path.name: path.read_bytes() for path in sorted(output.glob("*.jsonl"))}


def all_text(paths: Sequence[Path]) -> str:
    return "\n".join(path.read_text(errors="replace") for path in paths if path.is_file())
