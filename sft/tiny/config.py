"""The config of `python -m sft.tiny`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from common import seeds
from common.config import Config

PositiveInt = Annotated[int, Field(ge=1)]


class TinyConfig(Config):
    """Tokenizer, architecture and pre-training of the tiny base."""

    output: Path
    vocab_size: PositiveInt = 4096
    hidden_size: PositiveInt = 256
    intermediate_size: PositiveInt = 688
    num_hidden_layers: PositiveInt = 4
    num_attention_heads: PositiveInt = 4
    num_key_value_heads: PositiveInt = 2
    max_position_embeddings: PositiveInt = 1024

    sequence_length: PositiveInt = 512
    batch_size: PositiveInt = 4
    """Sequences a step."""
    steps: PositiveInt = 480
    learning_rate: Annotated[float, Field(gt=0)] = 6e-3
    muon_learning_rate: Annotated[float, Field(gt=0)] = 3e-2
    warmup_steps: PositiveInt = 20
    tokenizer_conversations: PositiveInt = 20_000
    test_conversations: PositiveInt = 200
    """Held-out general dialogue, on which the base's own perplexity is stated."""
    seed: int = seeds.MODEL_INIT
    text_seed: int = seeds.SYNTHETIC
