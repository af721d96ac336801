"""Commands and code that use a trained model, for its card."""

from collections.abc import Iterator

from sft.config import TrainConfig

_VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes as --max-lora-rank."""


def how_to_use(config: TrainConfig) -> Iterator[str]:
    """Yield paragraphs and code blocks: vLLM, then Python."""
    if config.lora is None:
        yield "The tokenizer with its chat template lies in this folder."
        yield _code("bash", f"vllm serve {config.output}")
    else:
        yield (
            "The base's tokenizer is not enough: it brings another chat template, or none. "
            "Pass `chat_template.jinja` from this folder."
        )
        yield from _vllm(config)
    yield _code("python", _python(config))


def _vllm(config: TrainConfig) -> Iterator[str]:
    assert config.lora is not None
    name, folder = config.register_as or "support-assistant", config.output
    rank = next((rank for rank in _VLLM_RANKS if rank >= config.lora.r), None)
    if config.lora.use_dora or config.lora.target_parameters or rank is None:
        yield "vLLM serves no adapters of this sort: merge it into its base first."
        yield _code("bash", f"python -m sft.merge {folder}\nvllm serve {folder}_merged")
        return
    yield _code(
        "bash",
        f"vllm serve {config.model} --enable-lora --max-lora-rank {rank} \\\n"
        f"    --lora-modules {name}={folder} --chat-template {folder}/chat_template.jinja",
    )


def _python(config: TrainConfig) -> str:
    # Only the eager kernel applies Gemma 2's soft cap on attention scores.
    attention = ', attn_implementation="eager"' if config.chat_template == "gemma2" else ""
    imports, model = (
        ("", f'model = AutoModelForCausalLM.from_pretrained("{config.output}", dtype="auto"{attention})')
        if config.lora is None
        else (
            "from peft import PeftModel\n",
            f'base = AutoModelForCausalLM.from_pretrained("{config.model}", dtype="auto"{attention})\n'
            f'model = PeftModel.from_pretrained(base, "{config.output}")',
        )
    )
    return f"""\
{imports}from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{config.output}")
{model}
messages = [{{"role": "user", "content": "Where is my order?"}}]
prompt = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"
)
output = model.generate(**prompt, max_new_tokens=200, eos_token_id=tokenizer.eos_token_id)
print(tokenizer.decode(output[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))"""


def _code(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"
