"""QLoRA speed and memory on one GPU: `sft.train` with both backends against plain TRL, in one run.

    python -m benchmarks.gpu_sft
    python -m benchmarks.gpu_sft --steps 20 --batch 8 --variants "plain TRL" "sft.train, unsloth"

Llama 3.1 8B's architecture with random weights, which train exactly as fast as real ones; 4-bit NF4, LoRA
r = 16 on all seven projections; synthetic conversations of log-normal lengths up to 2,048 tokens; the same
data, batch size, learning rate and number of steps for all. A process for each run, and the runs taken in
turns. Speeds are of whole optimizer steps after the warm-up, in tokens without padding; memory is the most
that those steps took.

Plain TRL is SFTTrainer with LoraConfig and BitsAndBytesConfig as its documentation shows them, with gradient
checkpointing (its default) and without. Losses are of the same held-out conversations after the same number
of steps: they say that all have trained alike. Batches differ: `sft.train` groups like lengths, or packs.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.gpu_sft_inputs import ARCHITECTURES, FAMILY, write_dataset, write_model
from common.console import say, table
from sft.config import TrainConfig

BASELINE = "plain TRL"
VARIANTS: dict[str, dict[str, Any]] = {
    BASELINE: {},
    "plain TRL, no checkpointing": {"gradient_checkpointing": False},
    "sft.train, peft": {},
    "sft.train, peft, no checkpointing": {"gradient_checkpointing": False},
    "sft.train, unsloth": {"backend": "unsloth"},
}
_ACCUMULATION = 4
_HELD_OUT = 32


def main(argv: Sequence[str] | None = None) -> None:
    """Make model and data, run the variants in turns, print the table and write `result.json`."""
    options = _parse(argv)
    seed = 2024
    architecture = ARCHITECTURES[options.model]
    model = write_model(options.output / options.model, architecture, seed)
    examples = (options.warm_up + options.steps) * options.batch * _ACCUMULATION
    dataset = write_dataset(
        options.output / "dataset",
        {"train": examples, "val": _HELD_OUT},
        words=architecture["vocab_size"] // 2,
        length=options.length,
        seed=seed,
    )
    runs: dict[str, list[dict[str, Any]]] = {}
    for round_number in range(options.rounds):
        for name in options.variants:
            changes = VARIANTS[name]
            if changes.get("backend") == "unsloth" and (reason := _no_unsloth(options)):
                runs[name] = [{"failed": reason}]
                continue
            say(f"round {round_number + 1} of {options.rounds}: {name}")
            config = _config(options, model, dataset, changes)
            runs.setdefault(name, []).append(_run(options, config, name))
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": {
            name: getattr(options, name) for name in ("model", "steps", "warm_up", "length", "batch")
        },
        "runs": runs,
    }
    (options.output / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    _report(result)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=list(ARCHITECTURES), default="llama31_8b", help="tiny: for a CPU")
    parser.add_argument("--steps", type=int, default=15, help="optimizer steps that count")
    parser.add_argument("--warm-up", type=int, default=3, help="optimizer steps before them")
    parser.add_argument("--length", type=int, default=2048, help="max_length, in tokens")
    parser.add_argument(
        "--batch", type=int, default=4, help="conversations a micro-batch, four of them a step"
    )
    parser.add_argument("--rounds", type=int, default=2, help="runs of each variant")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    parser.add_argument("--output", type=Path, default=Path("out/gpu_sft"), help="16 GB are written there")
    return parser.parse_args(argv)


def _no_unsloth(options: argparse.Namespace) -> str:
    """Why Unsloth can't take part; empty if it can."""
    if options.model == "tiny":
        return "Unsloth needs an NVIDIA GPU"
    return "" if importlib.util.find_spec("unsloth") else "Unsloth is not installed: locks/gpu.txt"


def _config(options: argparse.Namespace, model: Path, dataset: Path, changes: dict[str, Any]) -> TrainConfig:
    """Our recipe for all variants; `tiny` is for a CPU, where 4-bit is very slow."""
    steps = options.warm_up + options.steps
    settings: dict[str, Any] = {
        "model": str(model),
        "chat_template": FAMILY.name,
        "dataset": dataset,
        "output": options.output,
        "backend": "peft",
        "load_in_4bit": options.model != "tiny",
        "device": "cpu" if options.model == "tiny" else "cuda",
        "max_length": options.length,
        "max_steps": steps,
        "eval_steps": steps,
        "per_device_train_batch_size": options.batch,
        "gradient_accumulation_steps": _ACCUMULATION,
        "report_to": [],
        "register_as": None,
    }
    return TrainConfig.model_validate(settings | changes)


def _run(options: argparse.Namespace, config: TrainConfig, name: str) -> dict[str, Any]:
    """A variant in a process of its own, whose output goes to a log."""
    job = options.output / "job.json"
    described = {"config": config.model_dump(mode="json"), "plain": name.startswith(BASELINE)}
    job.write_text(json.dumps(described | {"warm_up": options.warm_up}))
    log = options.output / f"{name.replace(', ', '_').replace(' ', '_')}.log"
    program = "import sys, pathlib; from benchmarks.gpu_sft_run import main; main(pathlib.Path(sys.argv[1]))"
    with log.open("w") as errors:
        done = subprocess.run(
            [sys.executable, "-c", program, str(job)], stdout=subprocess.PIPE, stderr=errors, text=True
        )
    if done.returncode:
        return {"failed": f"failed, see {log}"}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _report(result: dict[str, Any]) -> None:
    middle = {name: _median(runs) for name, runs in result["runs"].items()}
    baseline = middle.get(BASELINE, {})
    measured = {name: figures for name, figures in middle.items() if "failed" not in figures}
    rows = [
        (
            name,
            f"{figures['supervised_per_s']:,.0f}",
            f"{figures['tokens_per_s']:,.0f}",
            _ratio(figures, baseline, "supervised_per_s"),
            f"{figures['allocated_gib']:.1f}",
            f"{figures['reserved_gib']:.1f}",
            _ratio(figures, baseline, "allocated_gib"),
            f"{figures['loss']:.4f}",
            f"{figures['loss'] / baseline['loss'] - 1:+.2%}" if "loss" in baseline else "-",
        )
        for name, figures in measured.items()
    ]
    say(", ".join([result["date"], *(f"{name} {value}" for name, value in result["settings"].items())]))
    done = [run for runs in result["runs"].values() for run in runs if "failed" not in run]
    if done:
        versions = {name: version for run in done for name, version in run["versions"].items()}
        say(", ".join([done[0]["device"], *(f"{name} {one}" for name, one in sorted(versions.items()))]))
    columns = ("", "supervised/s", "tokens/s", "speed", "GiB", "reserved", "memory", "loss", "against TRL")
    table("fine-tuning on one GPU, medians", columns, rows)
    for name in middle.keys() - measured.keys():
        say(f"{name}: {middle[name]['failed']}")


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    good = [run for run in runs if "failed" not in run]
    if not good:
        return runs[0]
    numbers = [key for key, value in good[0].items() if isinstance(value, float)]
    return {key: median(run[key] for run in good) for key in numbers}


def _ratio(figures: dict[str, Any], baseline: dict[str, Any], key: str) -> str:
    return f"{figures[key] / baseline[key]:.2f}x" if baseline.get(key) else "-"


if __name__ == "__main__":
    main()
