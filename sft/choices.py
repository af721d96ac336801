"""What `auto` resolves to, each with its reason."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.console import choice
from sft.config import TrainConfig
from sft.preflight import has_gpu

Dtype = Literal["bfloat16", "float16", "float32"]


@dataclass(frozen=True)
class Choices:
    """Resolved device and precision of the computation."""

    device: Literal["cuda", "cpu"]
    dtype: Dtype
    fused_lora: bool


def resolve(config: TrainConfig) -> Choices:
    """Resolve the config's `auto` values and print them with their reasons."""
    device = config.device
    if device == "auto":
        device = "cuda" if has_gpu() else "cpu"
        choice(
            "device", device, "an NVIDIA GPU is visible" if device == "cuda" else "no NVIDIA GPU is visible"
        )
    dtype, why = _dtype(config, device)
    choice("dtype", dtype, why)
    fused = device == "cpu" and dtype == "float32" and not config.load_in_4bit
    why = "float32 on CPU: fewer operations, one dropout mask for layers with the same input"
    choice("LoRA layers", "fused" if fused else "PEFT", why if fused else "fused ones are for float32 on CPU")
    return Choices(device, dtype, fused)


def _dtype(config: TrainConfig, device: str) -> tuple[Dtype, str]:
    if config.dtype != "auto":
        return config.dtype, "set in the config"
    if device == "cuda":
        import torch

        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16", "the GPU computes it"
        return "float16", "the GPU has no bfloat16"
    if config.load_in_4bit:
        return "bfloat16", "4-bit computes in 16 bits"
    if "amx_bf16" in _cpu_flags():
        return "bfloat16", "the CPU has amx_bf16"
    return "float32", "the CPU has no amx_bf16; without it bfloat16 was measured slower"


def _cpu_flags() -> set[str]:
    cpuinfo = Path("/proc/cpuinfo")
    return set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
