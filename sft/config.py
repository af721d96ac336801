"""The config of `python -m sft.train`. Defaults are the reference recipe of the project."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common import seeds
from common.chat import FamilyName
from common.config import ArtifactPath, Config
from common.registry import DEFAULT_URI

PositiveInt = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]

ALL_PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LoraOptions(Config):
    """Low-rank adapters (LoRA, Hu et al. 2021)."""

    r: PositiveInt = 16
    alpha: PositiveInt = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    target_modules: tuple[str, ...] = ALL_PROJECTIONS
    """Linear layers, by the last part of their names."""
    target_parameters: tuple[str, ...] = ()
    """Weights that are no linear layer's: a Mixture of Experts stacks those of its experts."""
    top_layers: PositiveInt | None = None
    """Adapters in the last so many blocks only: 4 to 6 train faster, learn less, and forget less."""
    use_rslora: bool = False
    """Scale by alpha / sqrt(r) (rsLoRA, Kalajdzievski 2023), so that a high rank learns more."""
    use_dora: bool = False
    """Train magnitudes beside directions (DoRA, Liu et al. 2024): often better at a low rank, slower."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.target_modules and not self.target_parameters:
            raise ValueError("give target_modules, target_parameters or both: nothing would be trained")
        if self.target_parameters and self.dropout:
            raise ValueError(
                "target_parameters needs dropout: 0, because PEFT has no input there to drop from"
            )
        if self.target_parameters and self.use_dora:
            raise ValueError("DoRA is for linear layers: leave target_parameters out, or set use_dora: false")
        return self


class QatOptions(Config):
    """Quantisation-aware training by torchao: the forward pass rounds weights as serving will."""

    weights: Literal["int4", "int8"] = "int4"
    group_size: PositiveInt = 32
    """Weights that share a scale (int4 only)."""


class TrainConfig(Config):
    """One run of supervised fine-tuning."""

    model: str
    """A local folder or a hub id, e.g. meta-llama/Llama-3.1-8B-Instruct."""
    chat_template: FamilyName
    dataset: ArtifactPath
    output: Path
    description: str = ""
    """One sentence for metadata.json, the model card and the registry."""

    backend: Literal["auto", "unsloth", "peft"] = "auto"
    load_in_4bit: bool = False
    """QLoRA (Dettmers et al. 2023): the frozen base in NF4 with double quantisation."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    device: Literal["auto", "cuda", "cpu"] = "auto"
    lora: LoraOptions | None = LoraOptions()
    """null trains all weights: for small models."""
    qat: QatOptions | None = None
    adapter: ArtifactPath | None = None
    """An earlier adapter of the same base to go on from; `lora` has to describe it."""

    max_length: PositiveInt = 2048
    packing: Literal["auto"] | bool = "auto"
    """Several examples in one row, each blind to the others; auto: where the attention kernel supports it."""
    replay_dataset: ArtifactPath | None = None
    """Older or general data, of which some is mixed in against forgetting."""
    replay_share: Share = 0.1
    """Share of the training examples that come from replay_dataset."""

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

    report_to: tuple[Literal["mlflow", "tensorboard", "wandb"], ...] = ("mlflow",)
    tracking_uri: str = DEFAULT_URI
    """MLflow's: runs and the registry. `sqlite:///PATH`, or the URL of a server."""
    register_as: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")] | None = "customer-support"
    """The registry's name for the result, whose `candidate` it becomes; null leaves it unregistered."""

    @property
    def effective_batch_size(self) -> int:
        """Examples of an optimizer step, in one process."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.load_in_4bit and self.dtype == "float32":
            raise ValueError("load_in_4bit computes in 16 bits: leave dtype at auto, or set bfloat16")
        if self.load_in_4bit and self.lora is None:
            raise ValueError("4-bit weights can't be trained: set lora, or load_in_4bit: false")
        if self.lora is None and self.adapter is not None:
            raise ValueError("adapter needs lora: all weights are trained without it")
        if self.qat is not None and self.load_in_4bit:
            raise ValueError("qat rounds 16-bit weights by itself: set load_in_4bit: false")
        if self.qat is not None and self.lora is not None:
            raise ValueError("qat trains all weights: set lora: null")
        if self.backend == "unsloth" and (self.device == "cpu" or self.lora is None):
            raise ValueError("backend unsloth trains LoRA on an NVIDIA GPU: set backend: peft")
        if self.backend == "unsloth" and self.lora and (self.lora.use_dora or self.lora.target_parameters):
            raise ValueError("use_dora and target_parameters are not for Unsloth: set backend: peft")
        return self


INCIDENTAL = ("report_to", "tracking_uri", "register_as")
"""Settings that do not decide what is trained: changing them trains nothing anew."""

BATCH_SHAPE = ("per_device_train_batch_size", "gradient_accumulation_steps", "gradient_checkpointing")
"""Settings of the memory that a step takes; of the batch only the product decides what is trained."""
