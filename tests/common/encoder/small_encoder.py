"""Encoders of a few weights, in the files of real ones."""

import json
import string
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

DIM = 16
CONTEXT = 24


def write_tokenizer(folder: Path) -> Tokenizer:
    """Write BERT's kind of tokenizer, a token a letter, to `folder`."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.ascii_lowercase]
    tokens += ["##" + letter for letter in string.ascii_lowercase]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def write_encoder(folder: Path, *, pad_token: str | None = "[PAD]") -> Path:
    """Write a random BERT of two layers, 16 dimensions and 24 positions."""
    import torch
    from transformers import BertConfig, BertModel

    size = write_tokenizer(folder).get_vocab_size()
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    names |= {"pad_token": pad_token} if pad_token else {}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    config = BertConfig(
        vocab_size=size,
        hidden_size=DIM,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.5,  # wide enough for texts to differ by more than rounding
    )
    torch.manual_seed(123)
    BertModel(config).save_pretrained(folder)
    return folder


def write_exported(folder: Path) -> "np.ndarray":
    """Write what an export leaves, with a graph that looks each token up in a table, which is returned."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    tokenizer = write_tokenizer(folder)
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.random.default_rng(7).normal(size=(tokenizer.get_vocab_size(), DIM)).astype(np.float32)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["texts", "tokens", DIM])
    node = helper.make_node("Gather", ["table", "input_ids"], ["hidden"])
    graph = helper.make_graph([node], "table", inputs, [output], [numpy_helper.from_array(table, "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    for name in ("model.onnx", "model.int8.onnx"):
        onnx.save(model, folder / name)
    return table
