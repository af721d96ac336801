"""Trainers on a random model, for tests of what watches them."""

import shutil
from pathlib import Path
from typing import Any

from common.chat import FAMILIES, load_tokenizer
from sft.choices import Choices
from sft.data.splits import load_splits
from sft.setup import make_trainer
from tests.sft.small_runs import small_config

CPU = Choices("cpu", "float32", fused_lora=True)


def small_trainer(folder: Path, *, keep_work: bool = False, **changes: Any) -> Any:
    """A trainer whose checkpoints go to `folder`/work, emptied unless `keep_work` is set."""
    if not keep_work:
        shutil.rmtree(folder / "work", ignore_errors=True)
    config = small_config(folder, **changes)
    tokenizer = load_tokenizer(config.model, FAMILIES[config.chat_template])
    training, validation = load_splits(config, tokenizer)
    return make_trainer(config, CPU, tokenizer, training, validation, folder / "work")
