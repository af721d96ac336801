"""Ways to load a model with adapters on it: PEFT anywhere, Unsloth on an NVIDIA GPU."""

from typing import Any

from sft.choices import Choices
from sft.config import TrainConfig


def prepare(config: TrainConfig, choices: Choices) -> Any:
    """Return the model to train, by the chosen backend: adapters on a frozen base, or all of the base.

    Raises:
        UserError: the model can't be fetched, lacks a target, or does not fit the earlier adapter.
    """
    if choices.backend == "unsloth":
        from sft.backends import unsloth

        return unsloth.prepare(config, choices)
    from sft.backends import peft

    return peft.prepare(config, choices)
