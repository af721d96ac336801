"""Models of a few thousand random weights, written and loaded the way real ones are."""

from pathlib import Path

from tests.common.chat.small_tokenizers import write_tokenizer


def write_model(
    folder: Path,
    family: str = "tiny",
    *,
    seed: int = 123,
    layers: int = 2,
    context: int = 256,
    hidden_size: int = 32,
) -> Path:
    """Write a random model of `family`'s architecture, with the family's small tokenizer.

    qwen3's is a Mixture of Experts.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    write_tokenizer(folder, family)
    tokenizer = AutoTokenizer.from_pretrained(folder, mistral_format=False)
    model_type = {"qwen2.5": "qwen2", "qwen3": "qwen3_moe", "mistral-v0.3": "mistral", "gemma2": "gemma2"}
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    config = AutoConfig.for_model(
        model_type.get(family, "llama"),
        **(experts if family == "qwen3" else {}),
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=hidden_size // 4,
        max_position_embeddings=context,
        initializer_range=0.5,  # wide enough for random logits to differ, so that no token wins by rounding
        eos_token_id=None,
        bos_token_id=None,
        pad_token_id=None,
    )
    if family == "mistral-v0.3":
        config.sliding_window = None  # as the real one's; Transformers' default is that of 0.1
    torch.manual_seed(seed)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    return folder


def write_adapter(folder: Path, base: Path, *, seed: int = 7) -> Path:
    """Write a random LoRA adapter for the model at `base`, which changes what it says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    torch.manual_seed(seed)
    projections = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    lora = LoraConfig(
        r=4, lora_alpha=8, target_modules=projections, init_lora_weights=False, task_type="CAUSAL_LM"
    )
    get_peft_model(model, lora).save_pretrained(folder)
    return folder
