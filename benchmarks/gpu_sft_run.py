"""One run of `benchmarks.gpu_sft`, in a process of its own: plain TRL, or `sft.train`'s trainer."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from common.provenance import loaded_versions
from sft.config import TrainConfig

GIB = 2**30


def run_variant(config: TrainConfig, *, plain: bool, warm_up: int) -> dict[str, Any]:
    """Train by `config`; return speeds and memory after `warm_up` steps, and the loss at the end.

    `plain` is TRL as its documentation shows it. A run that does not fit the GPU gives {"failed": ...}.
    """
    if config.backend == "unsloth":
        from sft.backends.unsloth import import_first

        import_first()
    import torch

    from benchmarks.gpu_sft_inputs import FAMILY
    from common.chat import load_tokenizer
    from common.console import quiet_libraries
    from sft.data.examples import load_examples

    quiet_libraries()
    tokenizer = load_tokenizer(config.model, FAMILY)
    training, validation = (
        load_examples(config.dataset / f"{split}.jsonl", tokenizer, FAMILY, config.max_length)
        for split in ("train", "val")
    )
    make = _plain_trainer if plain else _our_trainer
    try:
        trainer = make(config, tokenizer, training)
        figures = _train_and_measure(trainer, warm_up)
        figures["loss"] = _loss(trainer.model, validation)
    except torch.OutOfMemoryError:
        return {"failed": "out of memory"}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return figures | {"device": device, "versions": loaded_versions()}


def _our_trainer(config: TrainConfig, tokenizer: Any, training: Any) -> Any:
    from sft.choices import resolve
    from sft.setup import make_trainer

    one = replace(training, input_ids=training.input_ids[:1], labels=training.labels[:1])
    return make_trainer(config, resolve(config), tokenizer, training, one, config.output / "ours")


def _plain_trainer(config: TrainConfig, tokenizer: Any, training: Any) -> Any:
    """TRL, PEFT and bitsandbytes by the book, with our hyper-parameters and choice of attention kernel."""
    import datasets
    import torch
    from peft import LoraConfig
    from transformers import BitsAndBytesConfig
    from trl import SFTConfig, SFTTrainer

    from sft.choices import resolve

    choices = resolve(config)
    if choices.device == "cpu":  # TRL's head is a Triton kernel, for GPUs
        from trl.trainer import utils

        from benchmarks.sft import _PlainLogProb

        utils._ChunkedLogProbFunction = _PlainLogProb
    assert config.lora is not None
    nf4 = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return SFTTrainer(
        model=config.model,
        args=SFTConfig(
            output_dir=str(config.output / "plain"),
            model_init_kwargs={"dtype": choices.dtype, "attn_implementation": choices.attention},
            max_steps=config.max_steps,
            per_device_train_batch_size=config.per_device_train_batch_size,
            gradient_accumulation_steps=config.gradient_accumulation_steps,
            learning_rate=config.learning_rate,
            lr_scheduler_type=config.lr_scheduler_type,
            warmup_steps=config.warmup_ratio,
            gradient_checkpointing=config.gradient_checkpointing,
            max_length=config.max_length,
            bf16=choices.dtype == "bfloat16",
            use_cpu=choices.device == "cpu",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=config.seed,
        ),
        train_dataset=datasets.Dataset.from_dict(
            {"input_ids": training.input_ids, "labels": training.labels}
        ),
        processing_class=tokenizer,
        quantization_config=nf4 if config.load_in_4bit else None,
        peft_config=LoraConfig(
            r=config.lora.r,
            lora_alpha=config.lora.alpha,
            lora_dropout=config.lora.dropout,
            target_modules=list(config.lora.target_modules),
            task_type="CAUSAL_LM",
        ),
    )


def _train_and_measure(trainer: Any, warm_up: int) -> dict[str, float]:
    """Tokens a second of the steps after `warm_up`, padding left out, and the most memory they took (GiB)."""
    import torch
    from transformers import TrainerCallback

    counts = {"tokens": 0, "supervised": 0}
    step = trainer.training_step

    def counting(model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        mask = inputs.get("attention_mask")
        counts["tokens"] += int(inputs["input_ids"].numel() if mask is None else mask.sum())
        counts["supervised"] += int((inputs["labels"][:, 1:] >= 0).sum())
        return step(model, inputs, *args, **kwargs)

    class Clock(TrainerCallback):
        began = ended = 0.0

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.ended = time.perf_counter()
            if state.global_step == warm_up:
                self.began = self.ended
                counts.update(tokens=0, supervised=0)
                if torch.cuda.is_available():
                    torch.cuda.reset_peak_memory_stats()

    trainer.training_step = counting
    clock = Clock()
    trainer.callback_handler.callbacks.insert(0, clock)  # before others look at the step
    trainer.train()
    seconds = clock.ended - clock.began
    on_gpu = torch.cuda.is_available()
    return {
        "supervised_per_s": counts["supervised"] / seconds,
        "tokens_per_s": counts["tokens"] / seconds,
        "allocated_gib": torch.cuda.max_memory_allocated() / GIB if on_gpu else 0.0,
        "reserved_gib": torch.cuda.max_memory_reserved() / GIB if on_gpu else 0.0,
    }


def _loss(model: Any, validation: Any) -> float:
    """Token-weighted loss of the held-out conversations, one by one, from the model's logits."""
    import torch
    from torch.nn import functional

    model.eval()
    device = next(model.parameters()).device
    total, tokens = 0.0, 0
    for example in (validation[number] for number in range(len(validation))):
        ids = torch.tensor([example["input_ids"]], device=device)
        labels = torch.tensor(example["labels"][1:], device=device)
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
        trained = labels >= 0
        total += float(functional.cross_entropy(logits[trained].float(), labels[trained], reduction="sum"))
        tokens += int(trained.sum())
    return total / tokens


def main(job: Path) -> None:
    """Run the job that `benchmarks.gpu_sft` has written to a file; the result is the last line printed."""
    described = json.loads(job.read_text())
    config = TrainConfig.model_validate(described["config"])
    figures = run_variant(config, plain=described["plain"], warm_up=described["warm_up"])
    print("\n" + json.dumps(figures), flush=True)
