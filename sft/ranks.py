"""Which process this is, when `accelerate launch` has started several: read from the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.artifacts import Recipe
from common.console import console
from common.work import work_folder, working


def world_size() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """This process's number on its machine, which is its GPU's too."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def is_sharded() -> bool:
    """True when the launcher's config spreads one model over the processes (FSDP, DeepSpeed ZeRO-3)."""
    return is_deepspeed() or os.environ.get("ACCELERATE_USE_FSDP") == "true"


def is_deepspeed() -> bool:
    """True when that is DeepSpeed, of which configs/accelerate has ZeRO-3."""
    return os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true"


def is_main() -> bool:
    """True in the one process that prints and writes."""
    return int(os.environ.get("RANK", "0")) == 0


def quiet_others() -> None:
    """Only the main process speaks: the others would say the same."""
    console.quiet = not is_main()


def barrier(device: str) -> None:
    """Wait until every process is here; on a `cpu` they talk by gloo."""
    if world_size() > 1:
        from accelerate import PartialState

        PartialState(cpu=device == "cpu").wait_for_everyone()


@contextmanager
def working_together(output: Path, recipe: Recipe, *, device: str, fresh: bool) -> Iterator[Path]:
    """`common.work.working` for all processes: the main one makes and locks the folder, all of them use it.

    An error in one process ends the others: the launcher sees to that.
    """
    if device == "cpu":
        # Accelerate would call it "cpu:0", to which torch.load can't map a checkpoint.
        os.environ.setdefault("ACCELERATE_TORCH_DEVICE", "cpu")
    if is_main():
        with working(output, recipe, fresh=fresh, protect=True) as work:
            barrier(device)
            yield work
    else:
        barrier(device)
        yield work_folder(output, recipe)
