"""What `auto` resolves to, each with its reason."""

import importlib.util
from dataclasses import dataclass
from typing import Literal

from common.console import choice, warn
from common.errors import UserError
from common.models import Attention
from sft import ranks
from sft.config import TrainConfig
from sft.preflight import gpu_count

Device = Literal["cuda", "cpu"]
Dtype = Literal["bfloat16", "float16", "float32"]
Backend = Literal["unsloth", "peft"]


@dataclass(frozen=True)
class Choices:
    """Resolved backend, device, precision of the computation, attention kernel and batching."""

    device: Device = "cpu"
    dtype: Dtype = "float32"
    fused_lora: bool = False
    backend: Backend = "peft"
    attention: Attention = "sdpa"
    packing: bool = False

    @property
    def placement(self) -> str | None:
        """Where `from_pretrained` puts the weights; None leaves it to FSDP or DeepSpeed."""
        if self.device == "cpu":
            return "cpu"
        return None if ranks.is_sharded() else f"cuda:{ranks.local_rank()}"


def resolve(config: TrainConfig) -> Choices:
    """Resolve the config's `auto` values and print them with their reasons.

    Raises UserError when the config needs a GPU that this build of torch cannot use.
    """
    device = _device(config)
    if ranks.world_size() > 1:
        how = "the model is sharded over them" if ranks.is_sharded() else "each has the whole model"
        choice("processes", f"{ranks.world_size()} processes", f"started by a launcher; {how}")
    dtype, why = _dtype(config, device)
    choice("dtype", dtype, why)
    backend = _backend(config, device)
    attention, packing = _attention_and_packing(config, device, dtype)
    fused = device == "cpu" and dtype == "float32" and config.lora is not None and not config.load_in_4bit
    if config.lora is not None:
        why = "float32 on CPU: fewer operations, one dropout mask for layers with the same input"
        why = why if fused else "fused ones are for float32 on CPU"
        choice("LoRA layers", "fused" if fused else backend.upper() if backend == "peft" else backend, why)
    return Choices(device, dtype, fused, backend, attention, packing)


def _backend(config: TrainConfig, device: Device) -> Backend:
    backend, why = _backend_and_why(config, device)
    choice("backend", backend, why)
    return backend


def _backend_and_why(config: TrainConfig, device: Device) -> tuple[Backend, str]:
    if config.backend != "auto":
        return config.backend, "set in the config"
    if device == "cpu":
        return "peft", "Unsloth needs an NVIDIA GPU"
    if not importlib.util.find_spec("unsloth"):
        return "peft", "Unsloth is not installed: locks/gpu.txt has it"
    if config.lora is None:
        return "peft", "all weights are trained, which Unsloth is not for"
    if config.lora.target_parameters:
        return "peft", "adapters on the experts' stacked weights are PEFT's"
    if config.lora.use_dora or config.qat is not None:
        return "peft", "DoRA and qat are not in Unsloth's fast path"
    if ranks.world_size() > 1:
        return "peft", "several processes: Unsloth's kernels are for one GPU"
    return "unsloth", "one NVIDIA GPU, LoRA on linear layers, and Unsloth is installed"


def _attention_and_packing(config: TrainConfig, device: Device, dtype: Dtype) -> tuple[Attention, bool]:
    if config.chat_template == "gemma2":
        attention: Attention = "eager"
        why = "Gemma 2's soft cap on attention scores is applied by no other kernel"
    else:
        attention, why = _kernel(device, dtype)
    choice("attention", attention, why)
    if config.packing != "auto":
        choice("packing", config.packing, "set in the config")
        return attention, config.packing
    packing = attention == "flash_attention_2"
    if packing:
        why = "the kernel keeps packed examples apart"
    elif device == "cpu" and attention == "sdpa":
        why = "on a CPU padding is left out of the computation anyway"
    else:
        why = "without a kernel for packed rows, examples of like length are batched instead"
    choice("packing", "on" if packing else "off", why)
    return attention, packing


def _kernel(device: Device, dtype: Dtype) -> tuple[Attention, str]:
    if device == "cpu":
        return "sdpa", "PyTorch's own, on a CPU"
    if not importlib.util.find_spec("flash_attn"):
        return "sdpa", "flash_attn is not installed"
    if dtype == "float32":
        return "sdpa", "flash_attn computes in 16 bits alone"
    import torch

    if torch.cuda.get_device_capability() < (8, 0):
        return "sdpa", "flash_attn needs an Ampere GPU (A100, RTX 30) or a later one"
    return "flash_attention_2", "installed, and it takes packed rows as they are"


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
    if config.dtype == "float16" and device == "cpu":
        raise UserError("dtype float16 is for GPUs: on a CPU nothing scales its gradients", "set dtype: auto")
    if config.dtype != "auto":
        return config.dtype, "set in the config"
    if device == "cuda":
        import torch

        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16", "the GPU computes it"
        if config.load_in_4bit:
            warn("4-bit on a GPU without bfloat16 is untested")
        return "float16", "the GPU has no bfloat16"
    if config.load_in_4bit:
        return "bfloat16", "4-bit computes in 16 bits"
    return "float32", "the fused LoRA layers compute in it; bfloat16 was slower on a CPU without AMX"
