"""What `--dry-run` shows: config, data, steps, an estimate, and an example with its trained tokens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from common.chat import Rendered, trained_view
from common.chat.view import TRAINED
from common.console import console, say, table
from sft import ranks
from sft.choices import Choices
from sft.config import TrainConfig
from sft.data.examples import Examples
from sft.estimate.architecture import Architecture, read_architecture
from sft.estimate.duration import duration
from sft.estimate.gpus import GPUS
from sft.estimate.memory import COPIES, peak_memory, trained_bytes
from sft.estimate.report import describe, verdict
from sft.estimate.workload import Workload, workload

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

QUANTILES = (50, 90, 95, 99, 100)
_COPIES_SAVED = 3  # the trained weights and Adam's two moments; gradients are not saved
_CHECKPOINTS_KEPT = 2  # the best and the latest
_MISSING = object()


def show_plan(
    config: TrainConfig,
    choices: Choices,
    tokenizer: "PreTrainedTokenizerBase",
    training: Examples,
    validation: Examples,
) -> None:
    """Print what a run would do.

    Raises:
        UserError: the model's config can't be read.
    """
    work = workload(config, training, validation, packing=choices.packing)
    architecture = read_architecture(config.model)
    _show_config(config)
    _show_data({"train": training, "val": validation}, config.max_length)
    _show_steps(config, architecture, work)
    _show_gpus(config, choices, architecture, work)
    _show_example(tokenizer, training)
    steps, batch = work.schedule.steps, work.schedule.batch
    rows = "packed rows" if choices.packing else "examples"
    say(f"\nwould train {steps:,} steps of {batch} {rows} and write {config.output}")


def _heading(text: str) -> None:
    console.print(f"\n[bold]{text}[/bold]")


def _show_config(config: TrainConfig) -> None:
    """All settings in two columns; those that are not the defaults stand out."""
    coloured = _is_coloured()
    _heading(f"Config ({'bold' if coloured else '*'}: not the default)")
    flat = _flat(config.model_dump(mode="json"))
    required = {"model": config.model, "chat_template": config.chat_template}
    required |= {"dataset": str(config.dataset), "output": str(config.output)}
    bare = TrainConfig.model_validate(required, context={"check_paths": False})
    default = _flat(bare.model_dump(mode="json"))
    lines = []
    for key, value in flat.items():
        is_set = key in required or default.get(key, _MISSING) != value
        mark = "" if coloured else "* " if is_set else "  "
        lines.append(Text(f"{mark}{key}: {_short(value)}", style="bold" if is_set else "dim"))
    half = -(-len(lines) // 2)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", ratio=1)
    grid.add_column(overflow="fold", ratio=1)
    for left, right in zip(lines[:half], [*lines[half:], Text("")], strict=False):
        grid.add_row(left, right)
    console.print(grid, soft_wrap=False)


def _is_coloured() -> bool:
    return console.is_terminal and not console.no_color


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        result |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return result


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _show_data(splits: dict[str, Examples], max_length: int) -> None:
    say("")
    quantiles = [f"p{q}" if q < 100 else "max" for q in QUANTILES]
    rows = []
    for name, examples in splits.items():
        tokens = sum(examples.lengths)
        share = f"{examples.supervised / tokens:.0%}"
        rows.append([name, f"{len(examples):,}", f"{tokens:,}", share, *length_quantiles(examples.lengths)])
    table("Data (tokens of an example)", ["split", "examples", "tokens", "trained", *quantiles], rows)
    for name, examples in splits.items():
        say(f"  {name}: {_losses(examples, max_length)}")


def length_quantiles(lengths: Sequence[int]) -> list[int]:
    """The lengths at QUANTILES, by the nearest rank."""
    ordered = sorted(lengths)
    return [ordered[round(q / 100 * (len(ordered) - 1))] for q in QUANTILES]


def _losses(examples: Examples, max_length: int) -> str:
    """Where rows went that are not in the examples as they were, each with its reason."""
    reasons = dict(examples.dropped)
    empty = reasons.pop("no_trained_token", 0)
    lines = [
        f"{examples.cut:,} cut at {max_length:,} tokens into {examples.parts:,} examples"
        if examples.cut
        else "",
        f"{examples.truncated:,} lost their end" if examples.truncated else "",
        f"{empty:,} dropped: no trained token left" if empty else "",
        *(f"{count:,} dropped: {reason}" for reason, count in sorted(reasons.items())),
        f"{examples.lost:,} trained tokens lost by that" if examples.lost else "",
    ]
    return "; ".join(filter(None, lines)) or "nothing cut, truncated or dropped"


def _show_steps(config: TrainConfig, architecture: Architecture, work: Workload) -> None:
    plan = work.schedule
    _heading("Steps")
    processes = f" x {ranks.world_size()} processes" if ranks.world_size() > 1 else ""
    batch = f"{config.per_device_train_batch_size} x {config.gradient_accumulation_steps}{processes}"
    size = _COPIES_SAVED * trained_bytes(config, architecture) / COPIES
    say(f"  optimizer steps  {plan.steps:,} of {plan.batch} ({batch}), {plan.epochs:.1f} epochs")
    say(f"  warm-up steps    {plan.warmup:,}, then {config.lr_scheduler_type}")
    say(f"  evaluations      {plan.evaluations:,}: the base, every {config.eval_steps:,} steps, the end")
    kept = min(_CHECKPOINTS_KEPT, plan.checkpoints)
    say(
        f"  checkpoints      {plan.checkpoints:,} of about {_bytes(size)}, of which {kept} are kept: "
        f"{_bytes(size * kept)} on disk"
    )


def _bytes(size: float) -> str:
    for unit, power in (("GB", 1e9), ("MB", 1e6)):
        if size >= power:
            return f"{size / power:.1f} {unit}"
    return f"{size / 1e3:.0f} kB"


def _show_gpus(config: TrainConfig, choices: Choices, architecture: Architecture, work: Workload) -> None:
    _heading("Estimate (docs/estimate.md; not yet compared with runs on a GPU of our own)")
    say(f"  {describe(config, architecture)}")
    if choices.device == "cpu":
        say("  no memory and time for a CPU; --estimate shows those of GPUs")
        return
    memory = peak_memory(config, architecture, work.longest, work.trained_share)
    fitting = [gpu for gpu in GPUS if verdict(memory, gpu) == "fits"]
    times = (f"{gpu.name} {duration(config, architecture, gpu, work).hours:.1f} h" for gpu in fitting)
    say(f"  {memory.gib:.1f} GiB at most; fits {', '.join(times) or 'none of the known GPUs'}")
    say("  --estimate [GPU] shows the parts")


def _show_example(tokenizer: "PreTrainedTokenizerBase", training: Examples) -> None:
    """A short one: the first that is not longer than most."""
    middle = length_quantiles(training.lengths)[0]
    index = next(i for i, length in enumerate(training.lengths) if length <= middle)
    example = Rendered(training.input_ids[index], [label >= 0 for label in training.labels[index]])
    coloured = _is_coloured()
    _heading(f"Example {training.row_ids[index]}, trained tokens " + ("in green" if coloured else "in «»"))
    view = trained_view(tokenizer, example)
    console.print(view if coloured else bracketed(view))


def bracketed(view: Text) -> Text:
    """The view without colour: «» around what is trained."""
    result, inside = Text(), False
    head = view.plain.index("\n") + 1
    for span in sorted(view.spans, key=lambda span: span.start):
        if span.start < head:
            continue
        trained = TRAINED in str(span.style)
        if trained != inside:
            result.append("«" if trained else "»")
            inside = trained
        result.append(view.plain[span.start : span.end])
    counts = view.plain[: view.plain.index(" (")]  # what follows is a legend in colours
    return Text(f"{counts}\n") + result + Text("»" if inside else "")
