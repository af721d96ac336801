"""GPUs by name: what an estimate needs to know of them."""

import difflib
import re
from dataclasses import dataclass

from common.command import ALL_GPUS
from common.errors import ConfigError


@dataclass(frozen=True)
class Gpu:
    """One GPU.

    `gib` is the memory that PyTorch sees (less than the advertised figure), `tflops` the dense 16-bit matrix
    product with float32 sums, without sparsity (10^12 operations a second), `bandwidth` the memory's in GB/s.
    Sources: NVIDIA's data sheets, and AWS's for the A10G.
    """

    name: str
    gib: float
    tflops: float
    bandwidth: float


GPUS = (
    Gpu("T4", 14.7, 65, 320),  # no bfloat16: float16
    Gpu("L4", 22.0, 121, 300),
    Gpu("A10G", 22.0, 70, 600),
    Gpu("RTX 4090", 23.5, 165, 1008),
    Gpu("L40S", 44.4, 362, 864),
    Gpu("A100-40GB", 39.4, 312, 1555),
    Gpu("A100-80GB", 79.1, 312, 2039),
    Gpu("H100", 79.1, 989, 3350),  # SXM
    Gpu("H200", 139.8, 989, 4800),
    Gpu("B200", 178.0, 2250, 7700),
)


def find_gpus(name: str) -> tuple[Gpu, ...]:
    """The GPU of that name, written in any way ("rtx4090"); ALL_GPUS gives all of them.

    Raises:
        ConfigError: no GPU here has that name.
    """
    if name == ALL_GPUS:
        return GPUS
    wanted = _plain(name)
    for gpu in GPUS:
        if _plain(gpu.name) == wanted:
            return (gpu,)
    known = {_plain(gpu.name): gpu.name for gpu in GPUS}
    near = [known[plain] for plain in known if wanted and wanted in plain]
    near = near or [known[plain] for plain in difflib.get_close_matches(wanted, known, n=2, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ConfigError(
        f"--estimate knows no GPU '{name}'.{hint}", f"give one of: {', '.join(gpu.name for gpu in GPUS)}"
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
