"""What `benchmarks.gpu_sft` trains: a model of random weights, a tokenizer of made-up words, conversations.

All made on the spot from seeds: nothing is downloaded.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

from common.artifacts import Recipe, writing
from common.chat import FAMILIES
from common.config import Config
from common.console import track

FAMILY = FAMILIES["llama3.1"]
_STD = 0.02
_LLAMA31_8B = {  # as published in meta-llama/Llama-3.1-8B's config.json
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 128_256,
    "hidden_size": 4096,
    "intermediate_size": 14_336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "hidden_act": "silu",
    "max_position_embeddings": 131_072,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500_000.0,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
    "tie_word_embeddings": False,
    "initializer_range": _STD,
    "torch_dtype": "bfloat16",
}
_TINY = _LLAMA31_8B | {
    "vocab_size": 2048,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "torch_dtype": "float32",
}
ARCHITECTURES = {"llama31_8b": _LLAMA31_8B, "tiny": _TINY}


def write_model(folder: Path, architecture: dict[str, Any], seed: int) -> Path:
    """Write random weights with their config and tokenizer, unless they are there: 16 GB for Llama 3.1 8B."""
    if folder.exists():
        return folder
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM

    temporary = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(parents=True)
    (temporary / "config.json").write_text(json.dumps(architecture, indent=2))
    _tokenizer(architecture["vocab_size"]).save_pretrained(temporary)
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(temporary)).state_dict()
    shards: dict[str, list[str]] = {}
    for name in empty:
        part = name.split(".")[2] if ".layers." in name else name.split(".")[-2]
        shards.setdefault(f"model-{part}.safetensors", []).append(name)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = torch.Generator(device).manual_seed(seed)
    dtype = getattr(torch, architecture["torch_dtype"])
    for file, names in track(list(shards.items()), f"writing {folder.name}"):
        weights = {}
        for name in names:
            weight = torch.empty(empty[name].shape, dtype=dtype, device=device)
            is_norm = weight.ndim == 1
            weights[name] = weight.fill_(1) if is_norm else weight.normal_(std=_STD, generator=generator)
        save_file(
            {name: weight.cpu() for name, weight in weights.items()}, temporary / file, {"format": "pt"}
        )
    index = {"metadata": {}, "weight_map": {name: file for file, names in shards.items() for name in names}}
    (temporary / "model.safetensors.index.json").write_text(json.dumps(index))
    os.replace(temporary, folder)
    return folder


def _tokenizer(vocab_size: int) -> Any:
    """A word with its space a token: ` w0`, ` w1` and so on; Llama 3.1's special tokens are the last ids."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = vocab_size - len(FAMILY.special_tokens) - 1
    vocabulary = {"<unk>": 0} | {f" w{number}": number + 1 for number in range(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?\S+|\s+"), "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=FAMILY.bos_token,
        eos_token=FAMILY.end_of_turn,
        pad_token=FAMILY.pad_token,
        additional_special_tokens=list(FAMILY.special_tokens),
        chat_template=FAMILY.template,
        clean_up_tokenization_spaces=False,
    )


class _Dataset(Config):
    output: Path


def write_dataset(folder: Path, counts: dict[str, int], *, words: int, length: int, seed: int) -> Path:
    """Write a dataset artifact of so many conversations a split (`counts`), in a vocabulary of `words`."""
    rng = random.Random(seed)
    phrases = [_phrase(rng, words) for _ in range(300)]
    systems = [_text(rng, phrases, size) for size in (12, 40, 90)]
    recipe = Recipe.of("dataset", _Dataset(output=folder), inputs={}, code=())
    with writing(folder, recipe) as temporary:
        for split, count in counts.items():
            rows = [
                {"id": f"{split}-{number}", "messages": _conversation(rng, phrases, systems, length)}
                for number in range(count)
            ]
            (temporary / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def _conversation(
    rng: random.Random, phrases: list[str], systems: list[str], length: int
) -> list[dict[str, str]]:
    """Log-normal lengths, as in support chats: half of them under a fifth of `length`, some as long as it."""
    left = min(int(rng.lognormvariate(0, 0.9) * length / 5), int(length * 0.95))
    messages = [{"role": "system", "content": rng.choice(systems)}]
    left -= len(messages[0]["content"].split())
    while True:
        for role, low, high in (("user", 8, 60), ("assistant", 20, 140)):
            size = rng.randint(low, high)
            messages.append({"role": role, "content": _text(rng, phrases, size)})
            left -= size + 5  # the header and the end of the turn
        if left < 100:
            return messages


def _text(rng: random.Random, phrases: list[str], size: int) -> str:
    """About `size` words of phrases, some of them often, so that there is something to learn."""
    chosen: list[str] = []
    while len(chosen) < size:
        chosen += phrases[min(int(rng.expovariate(1 / 40)), len(phrases) - 1)].split()
    return " ".join(chosen[:size])


def _phrase(rng: random.Random, words: int) -> str:
    return " ".join(f"w{min(int(rng.paretovariate(0.6)), words - 1)}" for _ in range(rng.randint(4, 12)))
