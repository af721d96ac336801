"""What `--estimate` prints."""

from common.console import say, table, warn
from common.errors import UserError
from sft.config import TrainConfig
from sft.estimate.architecture import Architecture, read_architecture
from sft.estimate.duration import duration, mfu
from sft.estimate.gpus import Gpu, find_gpus
from sft.estimate.memory import GIB, Memory, peak_memory
from sft.estimate.workload import Workload, read_workload

TIGHT = 0.9
"""Above this share of a GPU's memory the estimate is too coarse to promise that the run fits."""


def show_estimate(config: TrainConfig, gpu: str) -> None:
    """Print memory and time on the GPU of that name, or on all known ones.

    Raises:
        ConfigError: no known GPU has that name.
        UserError: the model's config can't be read.
    """
    gpus = find_gpus(gpu)
    architecture = read_architecture(config.model)
    work, why_not = _workload(config)
    length = work.longest if work else None
    memory = peak_memory(config, architecture, length, work.trained_share if work else 1.0)
    say(f"{config.model}: {describe(config, architecture)}")
    say(f"micro-batch {config.per_device_train_batch_size} x {length or config.max_length:,} tokens")
    _show_parts(config, memory)
    _show_gpus(config, architecture, memory, work, gpus)
    if why_not:
        warn(f"no time: {why_not}")
    elif work and work.is_sample:
        say("Time from a sample of the rows; early stopping may end the run before.")
    say("Formula and sources: docs/estimate.md. Not yet compared with runs on a GPU of our own.")


def describe(config: TrainConfig, architecture: Architecture) -> str:
    """The model's size and how it is trained, in a few words."""
    size = f"{_short(architecture.total)} weights"
    if architecture.stacked:
        size += f", {_short(architecture.active_total)} active"
    if config.lora is None:
        return f"{size}, all trained"
    kind = "QLoRA" if config.load_in_4bit else "LoRA"
    return f"{size}, {kind} r={config.lora.r}, {_short(architecture.adapter_weights(config.lora))} trained"


def _short(weights: int) -> str:
    if weights >= 1e9:
        return f"{weights / 1e9:.2f} B"
    return f"{weights / 1e6:.0f} M" if weights >= 1e7 else f"{weights:,}"


def verdict(memory: Memory, gpu: Gpu) -> str:
    """Whether it fits."""
    if memory.gib > gpu.gib:
        return "no"
    return "tight" if memory.gib > TIGHT * gpu.gib else "fits"


def _workload(config: TrainConfig) -> tuple[Workload | None, str]:
    try:
        work = read_workload(config)
    except OSError:
        return None, f"there is no dataset at '{config.dataset}' yet"
    except UserError as error:
        return None, error.what
    return work, "" if work else f"no row of '{config.dataset}' can be trained on"


def _show_parts(config: TrainConfig, memory: Memory) -> None:
    kind = "4 bit, the rest 16" if config.load_in_4bit else "16 bit"
    kept = "block inputs" if config.gradient_checkpointing else "all blocks"
    trained = "gradients, Adam" if config.lora is None else "adapters, gradients, Adam"
    rows = [
        (f"weights ({kind if config.dtype != 'float32' else '32 bit'})", memory.weights),
        (trained, memory.trained),
        (f"activations kept ({kept})", memory.kept),
        ("one block at work", memory.block),
        ("output layer and loss", memory.head),
        ("CUDA and fragmentation", memory.overhead),
        ("peak", memory.total),
    ]
    table("Memory", ["part", "GiB"], [(name, f"{size / GIB:.1f}") for name, size in rows])


def _show_gpus(
    config: TrainConfig,
    architecture: Architecture,
    memory: Memory,
    work: Workload | None,
    gpus: tuple[Gpu, ...],
) -> None:
    rows = []
    for gpu in gpus:
        row = [gpu.name, f"{gpu.gib:.1f}", verdict(memory, gpu)]
        if work:
            time = duration(config, architecture, gpu, work)
            row += [f"{time.hours:.1f}", f"{time.tokens_per_second:,.0f}"]
        rows.append(row)
    time_columns = ["hours", "tokens/s"] if work else []
    share = f" at {mfu(config, architecture):.0%} of its peak" if work else ""
    table(f"One GPU{share}", ["GPU", "GiB", "fits", *time_columns], rows)
