"""Peak memory of a training step on one GPU, as a sum of parts. `docs/estimate.md` tells the formula."""

from dataclasses import dataclass
from itertools import groupby

from sft.config import LoraOptions, TrainConfig
from sft.estimate.architecture import Architecture, Matrix

GIB = 2**30

NF4 = 0.5 + 0.127 / 8
"""Bytes a weight: 4 bits, and 0.127 for constants, themselves quantised (QLoRA, Dettmers et al. 2023)."""
COPIES = 4
"""Of a trained weight: itself, its gradient and Adam's two moments (torch.optim.AdamW)."""
TRAINED_BYTES = 4
"""Of each: what is trained is float32, be it an adapter or all there is."""
NORM_BYTES = 2 * 4
"""A token and hidden unit: both RMSNorms of a block work on a float32 copy (Transformers' modelling code)."""
MLP_COPIES = 3
"""Values kept of a gated feed-forward layer: gate, activated gate, up. Their gradients are as many."""
MASK_BYTES = 1
"""A value of a dropout mask (PyTorch's native_dropout)."""
EAGER_BYTES = 10
"""A pair of tokens and head in eager attention: scores, soft cap and two softmax copies."""
HEAD_TOKENS, HEAD_VOCABULARY = 4096, 32768
"""The piece of logits that TRL's fused head computes at a time (trl 1.15: TOKEN_CHUNK_SIZE, chunk size)."""
CONTEXT = int(0.6 * GIB)
"""CUDA's context, kernels and cuBLAS workspaces: about 0.5 to 0.7 GiB on GPUs since 2020."""
FRAGMENTATION = 0.05
"""Of everything else: what PyTorch's allocator holds without using it. An assumption."""


@dataclass(frozen=True)
class Memory:
    """Bytes of each part."""

    weights: float
    trained: float
    kept: float
    block: float
    head: float

    @property
    def overhead(self) -> float:
        """CUDA's own memory, and what is lost between tensors."""
        parts = (self.weights, self.trained, self.kept, self.block, self.head)
        return CONTEXT + FRAGMENTATION * sum(parts)

    @property
    def total(self) -> float:
        """The peak, in bytes."""
        return self.weights + self.trained + self.kept + self.block + self.head + self.overhead

    @property
    def gib(self) -> float:
        """The peak, in GiB."""
        return self.total / GIB


def peak_memory(
    config: TrainConfig, architecture: Architecture, length: int | None = None, trained_share: float = 1.0
) -> Memory:
    """Memory when a whole micro-batch is as long as its longest example, `length` (default: max_length).

    `trained_share` is the share of tokens that the loss counts: the head sees no others.
    """
    size = weight_bytes(config)
    longest = config.max_length if length is None or config.packing is True else length
    tokens = config.per_device_train_batch_size * longest
    block = tokens * _block_bytes(config, architecture, longest)
    passing = tokens * size * (MLP_COPIES * architecture.mlp + 2 * architecture.hidden)  # gradients
    written = _written_out(config, architecture)
    blocks = trained_blocks(config, architecture)
    if config.gradient_checkpointing:
        kept: float = tokens * size * architecture.hidden * blocks
        block += max(written, default=0)
    else:
        kept, block = block * blocks + sum(written), 0.0
    gradient_of_stack = max(written, default=0)
    return Memory(
        weights=_weights(config, architecture),
        trained=trained_bytes(config, architecture),
        kept=kept,
        block=block + passing + gradient_of_stack + _unpacked(config, architecture),
        head=_head(config, architecture, tokens * trained_share),
    )


def trained_blocks(config: TrainConfig, architecture: Architecture) -> int:
    """Blocks that gradients pass through: those with adapters, and none below."""
    top = config.lora.top_layers if config.lora else None
    return top or architecture.layers


def weight_bytes(config: TrainConfig) -> int:
    """Bytes of a weight that is frozen and not quantised, and of an activation."""
    return 4 if config.dtype == "float32" else 2


def trained_bytes(config: TrainConfig, architecture: Architecture) -> float:
    """Bytes of the trained weights with gradients and moments."""
    trained = architecture.total if config.lora is None else architecture.adapter_weights(config.lora)
    return COPIES * TRAINED_BYTES * trained


def _weights(config: TrainConfig, architecture: Architecture) -> float:
    size = weight_bytes(config)
    if config.lora is None:  # autocast keeps a 16-bit copy of each trained weight during a pass
        return size * architecture.total if size < TRAINED_BYTES else 0
    if not config.load_in_4bit:
        return size * architecture.total
    return NF4 * architecture.quantisable + size * (architecture.total - architecture.quantisable)


def _block_bytes(config: TrainConfig, architecture: Architecture, length: int) -> float:
    """What autograd keeps of one block, a token."""
    size = weight_bytes(config)
    attention = 2 * architecture.query_width + 2 * architecture.key_width  # query, output; key, value
    copied = architecture.hidden * architecture.chosen if architecture.stacked else 0  # sorted by expert
    values = attention + MLP_COPIES * architecture.mlp + copied
    scores = EAGER_BYTES * architecture.heads * length if config.chat_template == "gemma2" else 0
    inputs = _layer_inputs(config, architecture, size)
    return NORM_BYTES * architecture.hidden + size * values + inputs + scores


def _layer_inputs(config: TrainConfig, architecture: Architecture, size: int) -> float:
    """Inputs of linear layers that the gradient of their weights needs; each LoRA layer keeps its own."""
    if config.lora is None:
        return size * (2 * architecture.hidden + architecture.query_width + architecture.mlp)
    lora: LoraOptions = config.lora
    a_value = size + (MASK_BYTES if lora.dropout else 0)
    linear = [matrix for matrix in architecture.targets(lora) if matrix.experts == 1]
    widest = [sum(m.inputs for m in group) for _, group in groupby(sorted(linear, key=_block), key=_block)]
    return a_value * max(widest, default=0)


def _written_out(config: TrainConfig, architecture: Architecture) -> list[float]:
    """Bytes of experts' weights with the update added, which PEFT writes out whole, block by block."""
    if config.lora is None:
        return []
    stacked = [matrix for matrix in architecture.targets(config.lora) if matrix.experts > 1]
    size = weight_bytes(config)
    groups = groupby(sorted(stacked, key=_block), key=_block)
    return [float(size * sum(m.size for m in group)) for _, group in groups]


def _unpacked(config: TrainConfig, architecture: Architecture) -> int:
    """A 4-bit matrix is unpacked to be multiplied: the largest one."""
    if not config.load_in_4bit:
        return 0
    return weight_bytes(config) * max((matrix.size for matrix in architecture.linear), default=0)


def _head(config: TrainConfig, architecture: Architecture, targets: float) -> float:
    """The fused head: hidden states of the targets, their gradients in two types, a piece of logits."""
    size = weight_bytes(config)
    piece = size * min(targets, HEAD_TOKENS) * min(architecture.vocabulary, HEAD_VOCABULARY)
    gradient_of_weights = 4 * architecture.head if config.lora is None else 0
    return targets * architecture.hidden * (size + 4 + size) + piece + gradient_of_weights


def _block(matrix: Matrix) -> int:
    return matrix.block
