"""What `auto` resolves to, each with its reason."""

from dataclasses import dataclass
from typing import Literal

from common.console import choice, warn
from common.errors import UserError
from sft.config import TrainConfig
from sft.preflight import gpu_count

Device = Literal["cuda", "cpu"]
Dtype = Literal["bfloat16", "float16", "float32"]


@dataclass(frozen=True)
class Choices:
    """Resolved device and precision of the computation."""

    device: Device
    dtype: Dtype
    fused_lora: bool


def resolve(config: TrainConfig) -> Choices:
    """Resolve the config's `auto` values and print them with their reasons.

    Raises UserError when the config needs a GPU that this build of torch cannot use.
    """
    device = _device(config)
    dtype, why = _dtype(config, device)
    choice("dtype", dtype, why)
    fused = device == "cpu" and dtype == "float32" and not config.load_in_4bit
    why = "float32 on CPU: fewer operations, one dropout mask for layers with the same input"
    choice("LoRA layers", "fused" if fused else "PEFT", why if fused else "fused ones are for float32 on CPU")
    return Choices(device, dtype, fused)


def _device(config: TrainConfig) -> Device:
    if config.device == "cpu":
        return "cpu"
    if not gpu_count():  # `preflight.check` has refused configs that need one
        choice("device", "cpu", "no NVIDIA GPU is visible")
        return "cpu"
    import torch

    if torch.cuda.is_available():
        choice("device", "cuda", "an NVIDIA GPU is visible")
        return "cuda"
    if config.device == "cuda" or config.load_in_4bit:
        raise UserError(
            f"an NVIDIA GPU is visible, but torch {torch.__version__} cannot use it",
            "install a CUDA build of torch that fits the driver (README.md, 'Install without make')",
        )
    choice("device", "cpu", f"an NVIDIA GPU is visible, but torch {torch.__version__} cannot use it")
    return "cpu"


def _dtype(config: TrainConfig, device: Device) -> tuple[Dtype, str]:
    if config.dtype != "auto":
        return config.dtype, "set in the config"
    if device == "cuda":
        import torch

        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16", "the GPU computes it"
        if config.load_in_4bit:
            warn("4-bit on a GPU without bfloat16 is untested: TRL keeps adapters in bfloat16")
        return "float16", "the GPU has no bfloat16"
    if config.load_in_4bit:
        return "bfloat16", "4-bit computes in 16 bits"
    return "float32", "the fused LoRA layers compute in it; bfloat16 was slower on a CPU without AMX"
