"""Tickets per second: cleaning, scrubbing and deduplicating, against the same steps in plain datatrove.

    make bench-data

Both read the same generated tickets, in four files, with two workers; levels 2 and 3 are left out, the peer
has no such thing. The peer (`benchmarks.data_peer`) is Presidio's BatchAnalyzerEngine with our name detector.
Prints tickets per second and the ratio, and for larger numbers of tickets time and memory, with a plot.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from common import console

FILES = 4
WORKERS = 2
SEED = 23  # not the benchmark's own: nothing was developed on it

CONFIG = """
output: {output}
sources: [{{type: zendesk, path: {tickets}}}]
system_prompt: You are MangaAssist.
level2: null
level3: null
executor: {{type: local, workers: {workers}}}
"""
PEER = "from pathlib import Path; import sys; from benchmarks.data_peer import run_peer; "
PEER += "run_peer(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))"


@dataclass(frozen=True)
class Run:
    """One run: `seconds` of wall time, `mib` the peak of its largest process."""

    tickets: int
    seconds: float
    mib: float

    @property
    def rate(self) -> float:
        """Tickets per second."""
        return self.tickets / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path, help="folder for tickets, results and the plot")
    parser.add_argument("--compare", type=int, default=5000, help="tickets for the comparison")
    parser.add_argument("--repeats", type=int, default=3, help="of the comparison, by turns; 0: none")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10_000, 50_000, 200_000])
    arguments = parser.parse_args()

    if arguments.repeats:
        compare(arguments.output, arguments.compare, arguments.repeats)
    runs = []
    for size in arguments.sizes:
        runs.append(ours(make_tickets(arguments.output, size), arguments.output / "ours", size))
        console.say(
            f"{size:>8,} tickets {runs[-1].seconds:8.1f} s {runs[-1].rate:8.0f}/s {runs[-1].mib:8.0f} MiB"
        )
    if runs:
        plot(runs, arguments.output / "scale.svg")


def compare(output: Path, size: int, repeats: int) -> None:
    """Ours and the peer's by turns, so that a noisy machine is noisy for both."""
    tickets = make_tickets(output, size)
    rows, ratios = [], []
    for turn in range(repeats):
        us, peer = ours(tickets, output / "ours", size), theirs(tickets, output / "peer", size)
        ratios.append(us.rate / peer.rate)
        rows.append((turn + 1, f"{us.rate:.0f}", f"{peer.rate:.0f}", f"{ratios[-1]:.2f}x", *memory(us, peer)))
    columns = ("run", "ours, tickets/s", "datatrove + Presidio", "ratio", "ours, MiB", "theirs, MiB")
    console.table(f"{size:,} tickets, {WORKERS} workers", columns, rows)
    console.say(f"median ratio {sorted(ratios)[len(ratios) // 2]:.2f}x")


def memory(us: Run, peer: Run) -> tuple[str, str]:
    return f"{us.mib:.0f}", f"{peer.mib:.0f}"


def make_tickets(output: Path, size: int) -> Path:
    """A folder with `size` generated tickets in `FILES` files."""
    folder = output / f"tickets_{size}"
    if not folder.exists():
        sample = output / "sample"
        command = [sys.executable, "-m", "data_pipeline.sample", "configs/sample.yaml", f"output={sample}"]
        subprocess.run([*command, f"tickets={size}", f"seed={SEED}"], check=True, stdout=subprocess.DEVNULL)
        unfinished = folder.with_name(f".{folder.name}")
        unfinished.mkdir(parents=True, exist_ok=True)
        lines = (sample / "tickets.jsonl").read_bytes().splitlines(keepends=True)
        for file in range(FILES):
            (unfinished / f"{file}.jsonl").write_bytes(b"".join(lines[file::FILES]))
        os.rename(unfinished, folder)
    return folder


def ours(tickets: Path, output: Path, size: int) -> Run:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    (output / "config.yaml").write_text(
        CONFIG.format(output=output / "dataset", tickets=tickets, workers=WORKERS)
    )
    return timed([sys.executable, "-m", "data_pipeline.build", str(output / "config.yaml"), "--force"], size)


def theirs(tickets: Path, output: Path, size: int) -> Run:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    return timed([sys.executable, "-c", PEER, str(tickets), str(output), str(WORKERS)], size)


def timed(command: list[str], size: int) -> Run:
    started = time.monotonic()
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, largest(process.pid))
            time.sleep(0.2)
    if process.returncode:
        raise RuntimeError(f"{command} failed")
    return Run(size, time.monotonic() - started, peak)


def largest(pid: int) -> float:
    """Resident memory, in MiB, of the largest of a process and all below it."""
    import psutil

    try:
        top = psutil.Process(pid)
        return max(each.memory_info().rss for each in [top, *top.children(recursive=True)]) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def plot(runs: list[Run], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    sizes = [run.tickets for run in runs]
    left.plot(sizes, [run.seconds for run in runs], "o-")
    right.plot(sizes, [run.mib for run in runs], "o-")
    for axes, what in ((left, "seconds"), (right, "MiB, largest process")):
        axes.set(xlabel="tickets", ylabel=what, ylim=(0, None))
        axes.grid(alpha=0.3)
    figure.savefig(path)
    console.say(f"plot: {path}")


if __name__ == "__main__":
    main()
