"""Loss curves of a run, as CSV for machines and PNG for people."""

import csv
from pathlib import Path
from typing import Any

COLUMNS = ("step", "epoch", "loss", "eval_loss", "learning_rate", "grad_norm")


def write_csv(history: list[dict[str, Any]], path: Path) -> None:
    """Write the trainer's log records, one a line; a training record has no eval_loss, and the reverse."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(record for record in history if "loss" in record or "eval_loss" in record)


def write_png(history: list[dict[str, Any]], path: Path) -> None:
    """Draw training and validation loss over optimizer steps, and mark the best validation loss."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for key, label, style in (("loss", "training", "-"), ("eval_loss", "validation", "o-")):
        points = [(record["step"], record[key]) for record in history if key in record]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=label, markersize=4)
    validation = [
        (record["eval_loss"], record["step"])
        for record in history
        if record.get("step") and "eval_loss" in record
    ]
    if validation:
        best, step = min(validation)
        axes.annotate(
            f"best {best:.3f}", (step, best), textcoords="offset points", xytext=(0, 10), ha="right"
        )
    axes.set(xlabel="optimizer step", ylabel="loss (nats a trained token)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    # No software name or date inside: equal runs give equal files.
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot.close(figure)
