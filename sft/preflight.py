"""What can be known to fail before the model is loaded: model, GPU, dataset, disk.

Each check raises `UserError` with the cause and the fix. Those of `check` take well under a second together.
"""

import ctypes
import os
import shutil
from pathlib import Path

from common.artifacts import read_manifest
from common.errors import UserError
from common.models import check as check_model
from sft.config import TrainConfig

_CHECKPOINTS_KEPT = 3  # the best, the latest, and the one being written
_BYTES_A_WEIGHT = 12  # float32 weight and two Adam moments


def check(config: TrainConfig) -> None:
    """Raise UserError for the first thing that would make the run fail later."""
    from sft.backends.earlier import check_earlier  # here: backends need `gpu_count`, for their choices

    check_model(config.model)
    _check_gpu(config)
    _check_dataset(config.dataset)
    if config.replay_dataset is not None:
        _check_dataset(config.replay_dataset)
    check_earlier(config)


def gpu_count() -> int:
    """How many GPUs the driver shows to this process (CUDA_VISIBLE_DEVICES counts), asked without torch."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    works = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if works else 0


def _check_gpu(config: TrainConfig) -> None:
    gpus = gpu_count()
    if gpus > 1 and config.device != "cpu" and "WORLD_SIZE" not in os.environ:
        raise UserError(
            f"{gpus} GPUs are visible, and one process trains on one of them",
            "all of them: accelerate launch --config_file configs/accelerate/ddp.yaml -m sft.train ...\n"
            "       one of them: CUDA_VISIBLE_DEVICES=0 python -m sft.train ...",
        )
    if gpus:
        return
    if config.device == "cuda":
        raise UserError("device is cuda, but no NVIDIA GPU is visible", "set device=cpu, or free a GPU")
    if config.load_in_4bit and config.device == "auto":
        raise UserError(
            "load_in_4bit needs an NVIDIA GPU, and none is visible",
            "run on a GPU machine; or set load_in_4bit=false (a small model on CPU); "
            "or set device=cpu to run 4-bit on the CPU, very slowly",
        )


def _check_dataset(dataset: Path) -> None:
    manifest = read_manifest(dataset)
    if manifest.kind != "dataset":
        raise UserError(f"'{dataset}' is of kind '{manifest.kind}', not a dataset", "check the path")
    for split in ("train", "val"):
        if not manifest.counts.get("assistant_turns", {}).get(split):
            raise UserError(
                f"'{dataset}' has no assistant turns in its {split} split: there is nothing to learn from",
                "look at its rejected.jsonl, and build it again with python -m data_pipeline.build",
            )


def check_disk(config: TrainConfig) -> None:
    """Raise UserError when the checkpoints would not fit. Builds the model without weights: takes seconds."""
    from sft.estimate.architecture import read_architecture

    architecture = read_architecture(config.model)
    trained = architecture.adapter_weights(config.lora) if config.lora else architecture.total
    needed = trained * _BYTES_A_WEIGHT * _CHECKPOINTS_KEPT + 100 * 2**20
    folder = next(p for p in (config.output, *config.output.absolute().parents) if p.exists())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"'{config.output}' has {free / 1e9:.1f} GB of disk left, "
            f"and its checkpoints need about {needed / 1e9:.1f} GB",
            "free some space, or choose an output on another disk",
        )
