"""Small tokenizers with each family's real special tokens, pre-tokenizer and file layout.

Trained on a few sentences in a moment, so that no test needs a model hub. What is real is what decides where
tokens begin and end: the split patterns, the trimmed offsets of Llama 3, Qwen's NFC, the metaspaces and byte
fall-back of Mistral and Gemma, and a post-processor that would add a BOS if it were asked to.
"""

import json
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from tests.common.chat.stock_templates import stock_template

_SENTENCES = [
    "Hello, where is my order? It should have arrived last week.",
    "I am sorry to hear that. May I have the order number, please?",
    "You can return a volume within 30 days, and the refund takes 5 to 7 days.",
    "Das Paket ist noch nicht da. Où est ma commande ? 注文はどこですか。",
    "assistant user system model\n\nThank you, that's all.\n- one\n- two\n",
]

_LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_QWEN_SPLIT = _LLAMA3_SPLIT.replace(r"\p{N}{1,3}", r"\p{N}")

_LLAMA3 = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|reserved_special_token_0|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
]
_LLAMA31 = [*_LLAMA3, "<|finetune_right_pad_id|>", "<|eom_id|>", "<|python_tag|>"]
_QWEN = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|fim_prefix|>"]
_QWEN3_MARKS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]
"""Single tokens, but not special ones: decoding without special tokens keeps them."""
_MISTRAL = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[TOOL_CALLS]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[control_8]",
]
_GEMMA = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<2mass>", "[@BOS@]", "<unused0>"]
_GEMMA += ["<start_of_turn>", "<end_of_turn>"]
_TINY = ["<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]

SPECIAL_TOKENS = {
    "llama3": _LLAMA3,
    "llama3.1": _LLAMA31,
    "llama3.2": _LLAMA31,
    "qwen2.5": _QWEN,
    "qwen3": [*_QWEN, *_QWEN3_MARKS],
    "mistral-v0.3": _MISTRAL,
    "gemma2": _GEMMA,
    "tiny": _TINY,
}

_CONFIGS: dict[str, dict[str, Any]] = {
    "llama": {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": _LLAMA3[0],
        "eos_token": "<|eot_id|>",
    },
    "qwen2.5": {
        "tokenizer_class": "Qwen2Tokenizer",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "bos_token": None,
    },
    "mistral-v0.3": {
        "tokenizer_class": "LlamaTokenizer",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "legacy": False,
    },
    "gemma2": {
        "tokenizer_class": "GemmaTokenizer",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    },
    "tiny": {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|bos|>", "eos_token": "<|end|>"},
}
_CONFIGS["qwen3"] = _CONFIGS["qwen2.5"]
_MODEL_TYPES = {"qwen2.5": "qwen2", "qwen3": "qwen3_moe", "mistral-v0.3": "mistral", "gemma2": "gemma2"}


def write_tokenizer(folder: Path, family: str) -> Path:
    """Write `family`'s small tokenizer as a model folder would hold it (tokenizer and model config)."""
    build = {"mistral-v0.3": _mistral, "gemma2": _gemma}.get(family, _byte_level)
    tokenizer = build(family)
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    if family == "qwen3":
        _make_ordinary(folder / "tokenizer.json", _QWEN3_MARKS)
    config = dict(_CONFIGS.get(family) or _CONFIGS["llama"])
    if template := stock_template(family):
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    model = {"model_type": _MODEL_TYPES.get(family, "llama"), "transformers_version": "4.42.0"}
    (folder / "config.json").write_text(json.dumps(model), encoding="utf-8")
    return folder


def _make_ordinary(path: Path, tokens: list[str]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    for entry in data["added_tokens"]:
        entry["special"] = entry["content"] not in tokens
    path.write_text(json.dumps(data), encoding="utf-8")


def _byte_level(family: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    is_qwen = family in ("qwen2.5", "qwen3")
    if is_qwen:
        tokenizer.normalizer = normalizers.NFC()
    split = _QWEN_SPLIT if is_qwen else _LLAMA3_SPLIT
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = SPECIAL_TOKENS[family]
    tokenizer.train_from_iterator(
        _SENTENCES,
        trainers.BpeTrainer(
            vocab_size=500,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    trimming = processors.ByteLevel(trim_offsets=not is_qwen)
    bos = {"qwen2.5": None, "qwen3": None, "tiny": "<|bos|>"}.get(family, "<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence([trimming, _adds_bos(tokenizer, bos)]) if bos else trimming
    return tokenizer


def _mistral(family: str) -> Tokenizer:
    tokenizer = _with_byte_fallback(family, pre_tokenizers.Metaspace(prepend_scheme="first", split=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = _adds_bos(tokenizer, "<s>")
    return tokenizer


def _gemma(family: str) -> Tokenizer:
    tokenizer = _with_byte_fallback(family, pre_tokenizers.Metaspace(prepend_scheme="never", split=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.post_processor = _adds_bos(tokenizer, "<bos>")
    return tokenizer


def _with_byte_fallback(family: str, training_split: pre_tokenizers.PreTokenizer) -> Tokenizer:
    """A BPE as SentencePiece would make it: no merges across words or lines, and every byte a token."""
    trainee = Tokenizer(models.BPE())
    trainee.pre_tokenizer = training_split
    lines = [line for sentence in _SENTENCES for line in sentence.split("\n")]
    trainee.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=400, show_progress=False))
    model = json.loads(trainee.to_str())["model"]
    special = SPECIAL_TOKENS[family]
    pieces = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *model["vocab"]]
    pieces += ["▁"] if "▁" not in model["vocab"] else []
    tokenizer = Tokenizer(
        models.BPE(
            vocab={piece: index for index, piece in enumerate(pieces)},
            merges=[tuple(merge) for merge in model["merges"]],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    return tokenizer


def _adds_bos(tokenizer: Tokenizer, bos: str) -> processors.TemplateProcessing:
    return processors.TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
    )
