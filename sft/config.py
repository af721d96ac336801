"""The config of `python -m sft.train`. Defaults are the reference recipe of the project."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common import seeds
from common.chat import FamilyName
from common.config import ArtifactPath, Config

PositiveInt = Annotated[int, Field(ge=1)]

ALL_PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LoraOptions(Config):
    """Low-rank adapters (LoRA, Hu et al. 2021) on linear layers."""

    r: PositiveInt = 16
    alpha: PositiveInt = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    target_modules: tuple[str, ...] = ALL_PROJECTIONS


class TrainConfig(Config):
    """One run of supervised fine-tuning."""

    model: str
    """A local folder or a hub id, e.g. meta-llama/Llama-3.1-8B-Instruct."""
    chat_template: FamilyName
    dataset: ArtifactPath
    output: Path
    description: str = ""
    """One sentence for metadata.json and the registry."""

    load_in_4bit: bool = False
    """QLoRA (Dettmers et al. 2023): the frozen base in NF4 with double quantisation."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    device: Literal["auto", "cuda", "cpu"] = "auto"
    lora: LoraOptions = LoraOptions()

    max_length: PositiveInt = 2048
    num_train_epochs: Annotated[float, Field(gt=0)] = 3
    max_steps: PositiveInt | None = None
    """Stop after so many optimizer steps, whatever num_train_epochs says."""
    per_device_train_batch_size: PositiveInt = 4
    gradient_accumulation_steps: PositiveInt = 4
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    lr_scheduler_type: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.03
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    gradient_checkpointing: bool = True
    """Recompute activations in the backward pass: about 20 % slower, and far less memory."""

    eval_steps: PositiveInt = 100
    """Validation loss and a checkpoint every so many optimizer steps."""
    early_stopping_patience: PositiveInt = 3
    """Stop after so many evaluations without a better validation loss; the best checkpoint is kept."""
    logging_steps: PositiveInt = 10
    seed: int = seeds.MODEL_INIT
    sampler_seed: int = seeds.SAMPLER

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.load_in_4bit and self.dtype == "float32":
            raise ValueError("load_in_4bit computes in 16 bits: leave dtype at auto, or set bfloat16")
        return self
