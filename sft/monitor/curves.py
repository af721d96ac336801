"""Curves of a run, as CSV for machines and PNG for people."""

import csv
from pathlib import Path
from typing import Any

COLUMNS = ("step", "epoch", "loss", "eval_loss", "learning_rate", "grad_norm")
NORMS = ("weight_norm", "update_norm", "update_ratio")
"""Columns that follow, each with its groups of blocks: see `sft.monitor.norms`."""
HEALTH = (
    "step",
    "tok_per_s",
    "supervised_tok_per_s",
    "loader_ms",
    "memory_gib",
    "gpu_utilisation",
)
"""Figures that differ between equal runs: see `sft.monitor.health`."""

Record = dict[str, Any]


def write_csv(history: list[Record], path: Path) -> None:
    """Write the trainer's log records, one a line; a training record has no eval_loss, and the reverse."""
    norms = [key for key in dict.fromkeys(key for record in history for key in record) if _is_norm(key)]
    _write(
        path, (*COLUMNS, *norms), [record for record in history if "loss" in record or "eval_loss" in record]
    )


def write_health_csv(history: list[Record], path: Path) -> None:
    """Write speed, memory and loader latency of the training records, in the columns that were measured."""
    records = [record for record in history if "loss" in record]
    _write(path, tuple(key for key in HEALTH if any(key in record for record in records)), records)


def _is_norm(key: str) -> bool:
    return key.split("/")[0] in NORMS


def _write(path: Path, columns: tuple[str, ...], records: list[Record]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(records)


def write_png(history: list[Record], path: Path) -> None:
    """Draw training and validation loss over optimizer steps, the best one marked, and the gradient norm."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (axes, below) = pyplot.subplots(
        2, 1, figsize=(8, 5.5), layout="constrained", sharex=True, height_ratios=(4, 1)
    )
    for key, label, style in (("loss", "training", "-"), ("eval_loss", "validation", "o-")):
        if points := _points(history, key):
            axes.plot(*zip(*points, strict=True), style, label=label, markersize=4)
    if validation := [(loss, step) for step, loss in _points(history, "eval_loss") if step]:
        best, step = min(validation)
        axes.annotate(
            f"best {best:.3f}", (step, best), textcoords="offset points", xytext=(0, 10), ha="right"
        )
    axes.set(ylabel="loss (nats a trained token)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    if points := _points(history, "grad_norm"):
        below.plot(*zip(*points, strict=True), color="0.4", linewidth=1)
    below.set(xlabel="optimizer step", ylabel="gradient norm", ylim=(0, None))
    below.grid(alpha=0.3)
    # No software name or date inside: equal runs give equal files.
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot.close(figure)


def _points(history: list[Record], key: str) -> list[tuple[int, float]]:
    return [(record["step"], record[key]) for record in history if key in record]
