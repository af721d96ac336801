"""Time of a run on one GPU: operations over what the GPU reaches. `docs/estimate.md` tells the formula."""

from dataclasses import dataclass

from sft.config import TrainConfig
from sft.estimate.architecture import Architecture
from sft.estimate.gpus import Gpu
from sft.estimate.memory import NF4, trained_blocks, weight_bytes
from sft.estimate.workload import Workload

MFU_LORA = 0.37
"""Share of the GPU's 16-bit peak that LoRA reaches with PEFT and flash attention. LLaMA-Factory's wiki
("Performance comparison"): LLaMA2-7B, 4 x 1024 tokens, 2,954 tokens/s (2,392 without flash attention)."""
MFU_QLORA = 0.30
"""The same in 4 bits. There: LLaMA2-7B on an A100-40GB, an example of 1024 to 8192 tokens, 2,295 to 3,128."""
MFU_FULL = 0.40
"""All weights trained: larger matrix products alone. An assumption."""
MFU_EXPERTS = 0.15
"""A Mixture of Experts: small matrix products. An assumption."""


@dataclass(frozen=True)
class Duration:
    """Seconds of the training steps and of the evaluations, and the tokens a second of the former."""

    training: float
    evaluation: float
    tokens_per_second: float

    @property
    def hours(self) -> float:
        """All of it; loading and saving are not counted."""
        return (self.training + self.evaluation) / 3600


def flops_per_token(
    config: TrainConfig, architecture: Architecture, attended: float, trained_share: float = 1.0
) -> tuple[float, float]:
    """Operations a token: of a training step, of an evaluation.

    A product with a weight is two operations. Forward; as many backward, to pass the gradient on; as many
    again for the weights that are trained; and the blocks' forward pass again with checkpointing.
    """
    # Scores and their product with the values, of which a causal mask leaves half.
    attention = 2 * architecture.query_width * attended * architecture.layers
    blocks = 2 * architecture.active + attention
    forward = blocks + 2 * architecture.head * trained_share
    # Gradients stop at the lowest block with an adapter.
    passed = blocks * trained_blocks(config, architecture) / architecture.layers
    training = forward + passed + 2 * architecture.head * trained_share
    if config.gradient_checkpointing:
        training += passed
    if config.lora is None:
        training += 2 * (architecture.active + architecture.head * trained_share) + attention
    else:
        targets = architecture.targets(config.lora)
        training += 6 * sum(m.lora(config.lora.r) for m in targets if m.experts == 1)
    return training, forward


def duration(config: TrainConfig, architecture: Architecture, gpu: Gpu, work: Workload) -> Duration:
    """Time of the whole run; the slower of computing and of reading weights is what counts."""
    training, forward = flops_per_token(config, architecture, work.attended, work.trained_share)
    speed = gpu.tflops * 1e12 * mfu(config, architecture)
    micro_steps = work.schedule.steps * config.gradient_accumulation_steps
    reading = micro_steps * _traffic(config, architecture) / (gpu.bandwidth * 1e9)
    seconds = max(work.training_tokens * training / speed, reading)
    return Duration(
        training=seconds,
        evaluation=work.validation_tokens * forward / speed,
        tokens_per_second=work.training_tokens / seconds,
    )


def mfu(config: TrainConfig, architecture: Architecture) -> float:
    """The share of the GPU's peak that is assumed."""
    if architecture.stacked:
        return MFU_EXPERTS
    if config.lora is None:
        return MFU_FULL
    return MFU_QLORA if config.load_in_4bit else MFU_LORA


def _traffic(config: TrainConfig, architecture: Architecture) -> float:
    """Bytes of weights that one micro-batch moves: each pass reads all; 4-bit ones are unpacked each time."""
    size = weight_bytes(config)
    passes = 3 if config.gradient_checkpointing else 2
    moved = float(size * architecture.total)
    if config.load_in_4bit:
        moved += (NF4 + size) * architecture.quantisable  # read packed, written unpacked, and read
    if config.lora is not None:
        stacked = sum(m.size for m in architecture.targets(config.lora) if m.experts > 1)
        # Read and written with the update added, in every pass; and their gradients: written, read twice.
        moved += (2 + 3 / passes) * size * stacked
    return passes * moved
