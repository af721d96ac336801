"""A GPU that is out of memory, told as what to change."""

from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import UserError


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn a GPU that is out of memory into a UserError that says what to change."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        first = next(iter(str(error).splitlines()), "")
        raise UserError(
            f"the GPU is out of memory: {first}",
            "halve per_device_train_batch_size and double gradient_accumulation_steps, or set "
            "gradient_checkpointing: true: the run then goes on from its last checkpoint.\n"
            "       A lower max_length or load_in_4bit: true saves more, and begins anew (--force); "
            "--estimate tells how much",
        ) from error
