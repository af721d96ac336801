"""A Slurm cluster of one machine: sbatch, squeue, sacct and srun as scripts, for tests.

`install(folder)` writes them; with `folder` on PATH, `sbatch` runs the tasks of an array one after another in
a process of its own, which goes on when its caller is killed. `folder/jobs/<id>/` holds the script, the
arguments, and the state of each task.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

_COMMANDS = ("sbatch", "squeue", "sacct", "srun")


def install(folder: Path) -> dict[str, str]:
    """Write the commands, and return the variables with which they are found."""
    (folder / "jobs").mkdir(parents=True)
    for name in _COMMANDS:
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {folder} {name} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def jobs(folder: Path) -> list[Path]:
    """The folders of the jobs, the first one submitted first."""
    return sorted((folder / "jobs").iterdir(), key=lambda job: int(job.name))


def arguments(job: Path) -> list[str]:
    """How sbatch was called."""
    return json.loads((job / "arguments.json").read_text())


def options(job: Path) -> dict[str, str]:
    """The #SBATCH lines of the job's script."""
    lines = re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", (job / "script").read_text(), re.M)
    return dict(lines)


def states(job: Path) -> list[str]:
    """PENDING, RUNNING, COMPLETED or FAILED, a task."""
    return [path.read_text() for path in sorted(job.glob("task_????"))]


def _sbatch(folder: Path, argv: list[str]) -> None:
    if (folder / "refuse").exists():
        sys.exit("sbatch: error: invalid partition specified")
    number = 1 + max((int(job.name) for job in jobs(folder)), default=100)
    job = folder / "jobs" / str(number)
    job.mkdir()
    shutil.copy(argv[-1], job / "script")
    (job / "arguments.json").write_text(json.dumps(argv))
    tasks = int(re.fullmatch(r"0-(\d+)(%\d+)?", options(job)["array"])[1]) + 1
    for task in range(tasks):
        (job / f"task_{task:04d}").write_text("PENDING")
    with (job / "output").open("w") as output:
        subprocess.Popen(
            [sys.executable, __file__, str(folder), "run", str(job)],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    print(f"Submitted batch job {number}")


def _run(folder: Path, argv: list[str]) -> None:
    job = Path(argv[0])
    called = dict(re.findall(r"--(\w+)=(\S+)", " ".join(arguments(job))))
    for before in re.findall(r":(\d+)", called.get("dependency", "")):
        while _is_active(folder / "jobs" / before):
            time.sleep(0.05)
    offset = dict(part.split("=") for part in called["export"].split(",") if "=" in part)
    for task, state in enumerate(sorted(job.glob("task_????"))):
        _set(state, "RUNNING")
        environment = os.environ | offset | {"SLURM_JOB_ID": job.name, "SLURM_ARRAY_TASK_ID": str(task)}
        log = options(job)["output"].replace("%A", job.name).replace("%a", str(task))
        with open(log, "w") as output:
            ended = subprocess.run(
                ["bash", str(job / "script")],
                env=environment,
                cwd=options(job)["chdir"],
                stdout=output,
                stderr=output,
            )
        _set(state, "FAILED" if ended.returncode else "COMPLETED")


def _set(path: Path, state: str) -> None:
    """At once: squeue must not see an empty file."""
    path.with_suffix(".new").write_text(state)
    path.with_suffix(".new").replace(path)


def _is_active(job: Path) -> bool:
    return any(state in ("PENDING", "RUNNING") for state in states(job))


def _squeue(folder: Path, argv: list[str]) -> None:
    if (folder / "busy").exists():
        (folder / "busy").unlink()
        sys.exit("slurm_load_jobs error: Socket timed out on send/recv operation")
    (name,) = (each.removeprefix("--name=") for each in argv if each.startswith("--name="))
    for job in jobs(folder):
        if options(job)["job-name"] == name and _is_active(job):
            print(job.name)


def _sacct(folder: Path, argv: list[str]) -> None:
    if (folder / "no_accounts").exists():
        sys.exit("Slurm accounting storage is disabled")
    (ids,) = (each.removeprefix("--jobs=") for each in argv if each.startswith("--jobs="))
    for number in ids.split(","):
        print("\n".join(states(folder / "jobs" / number)))


def _srun(folder: Path, argv: list[str]) -> None:
    assert argv[:3] == ["-l", "-n", "1"]
    os.execvp(argv[3], argv[3:])


if __name__ == "__main__":
    does = {"sbatch": _sbatch, "run": _run, "squeue": _squeue, "sacct": _sacct, "srun": _srun}
    does[sys.argv[2]](Path(sys.argv[1]), sys.argv[3:])
