"""An encoder in PyTorch: any model, exact, the one to train and to export."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.console import warn
from common.encoder import Vectors
from common.encoder.batches import BATCH_TOKENS, Batch, BatchEmbedder
from common.encoder.embedded import EMBEDDED, source
from common.errors import UserError, cannot_load
from common.models import Device

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Encoder(BatchEmbedder):
    """`model` in float32. Vectors are those of sentence-transformers (tested).

    Args:
        model: `EMBEDDED`, a folder, or a name on the hub.
        device: 'auto' is a GPU where there is one.

    Raises:
        UserError: there is no such model, or it is damaged (see `embedded.source`).
    """

    def __init__(
        self, model: str = EMBEDDED, *, device: Device = "auto", batch_tokens: int = BATCH_TOKENS
    ) -> None:
        folder_or_name = source(model)
        import torch
        from transformers import AutoModel, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(folder_or_name)
            weights = AutoModel.from_pretrained(folder_or_name, dtype=torch.float32)
        except (OSError, ValueError) as error:
            raise cannot_load("the encoder", model, error) from error
        if tokenizer.pad_token is None:
            raise UserError(f"the tokenizer of '{model}' has no padding token", "choose an encoder that has")
        _warn_of_other_pooling(folder_or_name, model)
        self.pad_token: str = tokenizer.pad_token
        self.max_length = _max_length(folder_or_name, tokenizer, weights)
        self.device = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self.model: PreTrainedModel = weights.to(self.device).eval().requires_grad_(False)
        super().__init__(
            _cutting(tokenizer, self.max_length),
            tokenizer.pad_token_id,
            weights.config.hidden_size,
            batch_tokens,
        )

    def _pooled(self, batch: Batch) -> Vectors:
        import torch

        input_ids = torch.from_numpy(batch.input_ids).to(self.device)
        attention_mask = torch.from_numpy(batch.attention_mask).to(self.device)
        with torch.inference_mode():
            hidden = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            lengths = attention_mask.sum(1, keepdim=True)
            weights = attention_mask / lengths
            pooled: Vectors = torch.einsum("ntd,nt->nd", hidden, weights).cpu().numpy()
        return pooled


def _cutting(tokenizer: "PreTrainedTokenizerBase", max_length: int) -> "Tokenizer":
    """A copy of the tokenizer below `tokenizer`, which cuts texts and does not pad."""
    from tokenizers import Tokenizer

    copy = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    copy.enable_truncation(max_length)
    copy.no_padding()
    return copy


_POSITIONS_BEHIND_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")
"""Families that count positions from behind the padding token's id."""


def _max_length(folder_or_name: str, tokenizer: "PreTrainedTokenizerBase", weights: "PreTrainedModel") -> int:
    """Tokens of the longest text: what the model was made for, no more than it has positions."""
    positions = getattr(weights.config, "max_position_embeddings", None)
    if positions and weights.config.model_type in _POSITIONS_BEHIND_PADDING:
        positions -= weights.config.pad_token_id + 1
    limits = [tokenizer.model_max_length, positions]
    limits.append(_side_file(folder_or_name, "sentence_bert_config.json").get("max_seq_length"))
    return int(min(limit for limit in limits if limit))


def _warn_of_other_pooling(folder_or_name: str, model: str) -> None:
    pooling = _side_file(folder_or_name, "1_Pooling/config.json")
    if pooling and not pooling.get("pooling_mode_mean_tokens", pooling.get("pooling_mode") == "mean"):
        warn(f"'{model}' was trained with other vectors than means of tokens, which are what is used here")


def _side_file(folder_or_name: str, name: str) -> dict[str, Any]:
    """A file that sentence-transformers puts beside a model; empty where there is none."""
    from transformers.utils import cached_file

    try:
        path = cached_file(folder_or_name, name)
    except OSError:
        return {}
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return content
