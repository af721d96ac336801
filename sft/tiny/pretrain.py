"""Pre-train a Llama from scratch on CPU: batches, optimizers, the loop with its checkpoints."""

import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from common.chat import FAMILIES, render_text
from common.console import progress, run_log, say
from sft.cpu.cross_entropy import linear_cross_entropy
from sft.tiny.config import TinyConfig
from sft.tiny.dialogues import conversation
from sft.tiny.muon import Muon

_CHECKPOINT_SECONDS = 30
_LOG_EVERY = 50
_CONVERSATIONS_AT_ONCE = 256


def make_model(config: TinyConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Return a Llama with random weights and tied embeddings."""
    torch.manual_seed(config.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            num_key_value_heads=config.num_key_value_heads,
            max_position_embeddings=config.max_position_embeddings,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def batches(config: TinyConfig, tokenizer: PreTrainedTokenizerFast, skip: int) -> Iterator[torch.Tensor]:
    """Yield int64 tensors (batch, sequence_length + 1), from batch `skip` on.

    Conversations follow one another without padding; the stream is endless, and none comes twice.
    """
    family = FAMILIES["tiny"]
    size = config.batch_size * (config.sequence_length + 1)
    ids: list[int] = []
    index = 0
    while True:
        texts = [
            render_text(family, conversation(config.text_seed, i))
            for i in range(index, index + _CONVERSATIONS_AT_ONCE)
        ]
        index += _CONVERSATIONS_AT_ONCE
        for encoded in tokenizer(texts, add_special_tokens=False)["input_ids"]:
            ids += encoded
        while len(ids) >= size:
            if skip > 0:
                skip -= 1
            else:
                yield torch.tensor(ids[:size]).view(config.batch_size, -1)
            del ids[:size]


def make_optimizers(model: LlamaForCausalLM, config: TinyConfig) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for embeddings and norms."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    others = [p for name, p in model.named_parameters() if not ("layers" in name and p.ndim == 2)]
    return [
        Muon(matrices, lr=config.muon_learning_rate),
        torch.optim.AdamW(others, lr=config.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]


def learning_rate_factor(step: int, config: TinyConfig) -> float:
    """Linear warm-up, then a cosine to a tenth of the peak."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * done))


def pretrain(config: TinyConfig, tokenizer: PreTrainedTokenizerFast, work: Path) -> LlamaForCausalLM:
    """Train for `config.steps`, going on from a checkpoint in `work` if there is one."""
    model = make_model(config, tokenizer).train()
    optimizers = make_optimizers(model, config)
    base_rates = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    first = _restore(work, model, optimizers)
    stream = batches(config, tokenizer, skip=first)
    began = saved = time.perf_counter()
    tokens_a_step = config.batch_size * config.sequence_length
    with progress() as display:
        task = display.add_task("pre-training", total=config.steps, completed=first, rate="")
        for step in range(first, config.steps):
            loss = _step(model, optimizers, base_rates, next(stream), learning_rate_factor(step, config))
            rate = (step + 1 - first) * tokens_a_step / (time.perf_counter() - began)
            display.update(task, completed=step + 1, rate=f"{rate:,.0f} tok/s")
            if (step + 1) % _LOG_EVERY == 0:
                run_log("PRETRAIN", step=f"{step + 1}/{config.steps}", loss=loss, tok_per_s=round(rate))
            if time.perf_counter() - saved > _CHECKPOINT_SECONDS:
                _save(work, step + 1, model, optimizers)
                saved = time.perf_counter()
    return model.eval()


def _step(
    model: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    base_rates: list[float],
    batch: torch.Tensor,
    factor: float,
) -> float:
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    for group, rate in zip(groups, base_rates, strict=True):
        group["lr"] = rate * factor
    hidden = model.model(input_ids=batch[:, :-1], use_cache=False).last_hidden_state
    targets = batch[:, 1:].flatten()
    loss = linear_cross_entropy(hidden.flatten(0, 1), model.lm_head.weight, targets) / len(targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


def _save(work: Path, step: int, model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer]) -> None:
    state: dict[str, Any] = {"step": step, "model": model.state_dict()}
    state["optimizers"] = [optimizer.state_dict() for optimizer in optimizers]
    torch.save(state, work / "checkpoint.tmp")
    os.replace(work / "checkpoint.tmp", work / "checkpoint.pt")


def _restore(work: Path, model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer]) -> int:
    """Load the checkpoint, if there is one; return the step to go on with."""
    path = work / "checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    say(f"resuming at step {state['step']}")
    return int(state["step"])
