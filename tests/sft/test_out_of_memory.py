import pytest
import torch

from common.errors import UserError
from sft.out_of_memory import memory_errors


def test_a_gpu_out_of_memory_says_what_to_change() -> None:
    with pytest.raises(UserError) as caught, memory_errors():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore.")
    assert caught.value.what == "the GPU is out of memory: CUDA out of memory. Tried to allocate 2.00 GiB."
    assert "halve per_device_train_batch_size and double gradient_accumulation_steps" in caught.value.fix
