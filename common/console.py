"""What commands print: choices with their reasons, `[TAG] key=value` run logs, progress bars, tables.

Never pass ticket text to these functions: ids, reasons and counts only. The exceptions are the views made
to be looked at (a sample of the training mask, sample replies in a report).
"""

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

T = TypeVar("T")

# Piped output has no width of its own; rich's 80 columns would break paths, run logs and tables in two.
_piped = not sys.stdout.isatty()
console = Console(highlight=False, soft_wrap=_piped, width=120 if _piped else None)


def say(text: str) -> None:
    """Print one line, without markup."""
    console.print(text, markup=False)


def warn(text: str) -> None:
    """Print one line that asks for attention."""
    console.print(f"warning: {text}", style="yellow", markup=False)


def choice(what: str, value: object, why: str) -> None:
    """Print what was chosen automatically, and the reason: `dtype       bfloat16 (CPU has avx512_bf16)`."""
    console.print(f"  {what:<16} [bold]{escape(str(value))}[/bold] [dim]({escape(why)})[/dim]")


def run_log(tag: str, **fields: Any) -> None:
    """Print `[TAG] key=value key=value`, one line a record, for people and for grep."""
    say(f"[{tag}] " + " ".join(f"{key}={_short(value)}" for key, value in fields.items()))


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3e}" if value and abs(value) < 1e-3 else f"{value:.4g}"
    return str(value).replace(" ", "_")


def progress() -> Progress:
    """A progress display whose tasks carry a `rate` field; silent when the output is not a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def track(items: Iterable[T], description: str, total: int | None = None, unit: str = "") -> Iterator[T]:
    """Yield `items` behind a progress bar that shows the rate in `unit` a second."""
    with progress() as display:
        task = display.add_task(description, total=total, rate="")
        for done, item in enumerate(items, start=1):
            yield item
            elapsed = display.tasks[task].elapsed or 0.0
            rate = f"{done / elapsed:,.0f} {unit}/s" if unit and elapsed else ""
            display.update(task, completed=done, rate=rate)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; the first column is text, the others are numbers."""
    grid = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        grid.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        grid.add_row(*(str(cell) for cell in row))
    console.print(grid)


def quiet_libraries() -> None:
    """Keep the bars and notices of transformers, bitsandbytes and torchao off the screen; errors still show.

    Imports transformers: call it where that is loaded anyway, and before peft, which imports the others.
    """
    for name in ("bitsandbytes", "torchao", "torch.utils._pytree"):  # the last speaks of torchao's classes
        logging.getLogger(name).setLevel(logging.ERROR)
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
