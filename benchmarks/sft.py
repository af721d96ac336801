"""Training speed of `sft.train` on CPU against plain TRL, in one run.

    make bench-sft
    python -m benchmarks.sft configs/quickstart/sft.yaml max_steps=20

Same base, data, LoRA rank, length, effective batch, learning rate and number of steps; gradient checkpointing
off; a process for each run, and the runs taken in turns. TRL runs in float32, in bfloat16 where the CPU
computes it, and with micro-batches of 4 and of 16, and the fastest of them counts. Speeds are of whole
optimizer steps, evaluation and saving left out, in tokens without padding. Then each measure that makes
`sft.train` faster is left out in a run of its own.

TRL 1.15 cannot take a step on a CPU: its loss is a Triton kernel. It gets a stand-in that does the same in
plain PyTorch, at trained positions alone, so it is not slowed by full logits.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from common.chat import FAMILIES, load_tokenizer
from common.command import parse
from common.config import dump
from common.console import quiet_libraries, say, table
from sft.choices import Choices
from sft.config import TrainConfig
from sft.data.examples import IGNORE, Examples, load_examples

ROUNDS = 2
TRL = ("trl float32 4x4", "trl bfloat16 4x4", "trl float32 16x1")
OURS = "sft.train"
WITHOUT = (
    "fused LoRA layers",
    "short norms",
    "last block at trained positions",
    "leaving padding out",
    "shared beginnings computed once",
    "loss in chunks",
)
"""Measures of `sft.train`, each of which is left out in a run of its own."""


def main() -> None:
    """Run every variant `ROUNDS` times in turns, and print the table."""
    config, _ = parse(TrainConfig, __doc__)
    config = config.model_copy(update={"report_to": (), "register_as": None})
    peers = [name for name in TRL if "bfloat16" not in name or _computes_bfloat16()]
    ablated = [f"without {measure}" for measure in WITHOUT]
    results: dict[str, list[dict[str, float]]] = {name: [] for name in (*peers, OURS, *ablated)}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(dump(config))
        file.flush()
        for round_number in range(ROUNDS):
            for name in results if round_number == 0 else (*peers, OURS):
                say(f"round {round_number + 1} of {ROUNDS}: {name}")
                output = subprocess.check_output(
                    [sys.executable, "-m", "benchmarks.sft", "--variant", name, file.name], text=True
                )
                results[name].append(json.loads(output.splitlines()[-1]))
    _report(results, peers)


def _computes_bfloat16() -> bool:
    """Elsewhere it is emulated, ten times slower than float32."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported())


def _report(results: dict[str, list[dict[str, float]]], peers: Sequence[str]) -> None:
    middle = {
        name: {key: median(run[key] for run in runs) for key in runs[0]} for name, runs in results.items()
    }
    best = max(peers, key=lambda name: middle[name]["tokens_per_s"])
    rows = []
    for name, figures in middle.items():
        spread = [run["tokens_per_s"] for run in results[name]]
        rows.append(
            (
                name + (" (best of TRL)" if name == best else ""),
                f"{figures['tokens_per_s']:,.0f}",
                f"{min(spread):,.0f} to {max(spread):,.0f}",
                f"{figures['supervised_per_s']:,.0f}",
                f"{figures['tokens_per_s'] / middle[best]['tokens_per_s']:.2f}x",
                f"{figures['val_loss']:.4f}",
                f"{figures['val_loss'] / middle[best]['val_loss'] - 1:+.2%}",
            )
        )
    columns = ("", "tokens/s", "range", "supervised/s", "speed", "val loss", "against TRL")
    table("fine-tuning on CPU, medians", columns, rows)


def run_variant(name: str, config: TrainConfig) -> dict[str, float]:
    """Train once; return speeds and the validation loss."""
    quiet_libraries()
    tokenizer = load_tokenizer(config.model, FAMILIES[config.chat_template])
    splits = (
        load_examples(
            config.dataset / f"{split}.jsonl", tokenizer, FAMILIES[config.chat_template], config.max_length
        )
        for split in ("train", "val")
    )
    training, validation = splits
    with tempfile.TemporaryDirectory() as work:
        make = _trl_trainer if name in TRL else _our_trainer
        trainer = make(name, config, tokenizer, training, Path(work))
        seconds, tokens, supervised = _train_and_time(trainer)
        return {
            "tokens_per_s": tokens / seconds,
            "supervised_per_s": supervised / seconds,
            "val_loss": _validation_loss(trainer.model, validation),
        }


def _our_trainer(name: str, config: TrainConfig, tokenizer: Any, training: Examples, work: Path) -> Any:
    from sft.setup import make_trainer

    choices = Choices("cpu", "float32", fused_lora=name != f"without {WITHOUT[0]}")
    _leave_out(name.removeprefix("without "))
    one = replace(training, input_ids=training.input_ids[:1], labels=training.labels[:1])
    return make_trainer(config, choices, tokenizer, training, one, work)


def _leave_out(measure: str) -> None:
    """Put what it replaces back in the place of one measure; the fused layers are a choice of their own."""
    import torch

    import sft.cpu.head
    import sft.cpu.prefixes
    import sft.setup

    def plain_loss(causal_lm: Any, hidden: Any, targets: Any) -> Any:
        logits = causal_lm.get_output_embeddings()(hidden)
        return torch.nn.functional.cross_entropy(logits, targets, reduction="sum")

    match measure:
        case "short norms":
            sft.setup.replace_norms = lambda model: 0
        case "last block at trained positions":
            sft.cpu.head.LastBlock.narrow = lambda self, rows: None  # type: ignore[method-assign]
        case "leaving padding out":  # batches of like length are what is done then
            sft.cpu.head.Sequences.supported = False  # type: ignore[assignment, method-assign]
        case "shared beginnings computed once":
            sft.cpu.prefixes.SHORTEST = 10**9
        case "loss in chunks":
            sft.cpu.head._head_loss = plain_loss


def _trl_trainer(name: str, config: TrainConfig, tokenizer: Any, training: Examples, work: Path) -> Any:
    import transformers
    from trl import SFTTrainer
    from trl.trainer import utils

    from sft.backends.peft import load_base, lora_config
    from sft.setup import as_dataset, training_arguments

    utils._ChunkedLogProbFunction = _PlainLogProb
    _, dtype, shape = name.split()
    micro, accumulation = map(int, shape.split("x"))
    choices = Choices("cpu", dtype, fused_lora=False)  # type: ignore[arg-type]
    arguments = training_arguments(config, choices, work)
    arguments.per_device_train_batch_size = micro
    arguments.gradient_accumulation_steps = accumulation
    arguments.eval_strategy = arguments.save_strategy = transformers.trainer_utils.IntervalStrategy.NO
    arguments.load_best_model_at_end = False
    transformers.set_seed(config.seed)
    # Under autocast the weights stay in float32, TRL's default when it loads a model by itself.
    base = load_base(config, Choices("cpu", "float32"))
    assert config.lora is not None
    return SFTTrainer(
        model=base,
        args=arguments,
        train_dataset=as_dataset(training).remove_columns("row"),
        processing_class=tokenizer,
        peft_config=lora_config(config.model, config.lora, base.config.num_hidden_layers),
    )


class _PlainLogProb:
    """TRL's `ChunkedLogProbFunction` in plain PyTorch: log-probabilities, entropy, top-1 hits."""

    @staticmethod
    def apply(hidden: Any, weight: Any, bias: Any, targets: Any, *_: Any) -> tuple[Any, ...]:
        import torch

        logits = torch.nn.functional.linear(hidden, weight.to(hidden.dtype), bias)
        log_probs = torch.log_softmax(logits.float(), dim=-1)
        with torch.no_grad():
            entropy = -(log_probs.exp() * log_probs).sum(dim=-1)
            is_top1 = logits.argmax(dim=-1) == targets
        return log_probs.gather(-1, targets[:, None]).squeeze(-1), entropy, None, None, is_top1


def _train_and_time(trainer: Any) -> tuple[float, int, int]:
    """Seconds, tokens and supervised tokens from the first step's start to the last one's end."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        began = ended = 0.0

        def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            self.ended = time.perf_counter()

    counts = [0, 0]
    step = trainer.training_step

    def counting(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        counts[0] += int(inputs["attention_mask"].sum())
        counts[1] += int((inputs["labels"][:, 1:] != IGNORE).sum())
        return step(model, inputs, *args, **kwargs)

    trainer.training_step = counting
    clock = Clock()
    trainer.add_callback(clock)
    trainer.train()
    return clock.ended - clock.began, counts[0], counts[1]


def _validation_loss(model: Any, validation: Examples) -> float:
    """Token-weighted loss of all validation examples, one by one, by Transformers' own forward pass."""
    import torch

    model.eval()
    total, tokens = 0.0, 0
    for example in (validation[i] for i in range(len(validation))):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([example["input_ids"]])).logits[0, :-1].float()
        labels = torch.tensor(example["labels"][1:])
        total += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
        tokens += int((labels != IGNORE).sum())
    return total / tokens


def _one_variant(arguments: Sequence[str]) -> None:
    name, path = arguments
    config, _ = parse(TrainConfig, None, [path])
    print(json.dumps(run_variant(name, config)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--variant"]:
        _one_variant(sys.argv[2:])
    else:
        main()
