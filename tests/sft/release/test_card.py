"""The model card: what it says, and that its code runs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from common.artifacts import Recipe, writing
from common.config import Config
from sft.choices import Choices
from sft.config import TrainConfig
from sft.release.card import adapter_card, merged_card
from tests.common.small_models import write_model
from tests.sft.release.finished_run import SUMMARY, finish_run

COUNTS = {
    "train": SUMMARY | {"dropped": {"no_trained_token": 3, "empty_turn": 1}},
    "val": SUMMARY,
    "base_eval_loss": 6.25,
    "best_eval_loss": 3.18,
    "steps": 158,
}
CPU = Choices()
REPLAY = {"examples": 120, "share": 0.1, "of": 900, "rows_also_in_dataset": 0, "dropped": {}}
INPUTS = {"dataset": "d" * 64, "replay_dataset": "e" * 64}


class Built(Config):
    output: Path
    pii: dict[str, str] | None = None


def card(
    folder: Path, choices: Choices = CPU, *, pii: bool = True, counts: Any = COUNTS, **changes: Any
) -> str:
    """A card for a config that differs from the defaults by `changes`."""
    dataset = folder / f"dataset-{pii}"
    if not dataset.exists():
        built = Built(output=dataset, pii={"detector": "embedded"} if pii else None)
        with writing(dataset, Recipe.of("dataset", built, inputs={}, code=())):
            pass
    settings = {
        "model": "meta-llama/Llama-3.1-8B-Instruct",
        "chat_template": "llama3.1",
        "dataset": dataset,
        "output": "out/llama31_8b",
    }
    return adapter_card(TrainConfig.model_validate(settings | changes), choices, counts, INPUTS)


def front_matter(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def test_hubs_find_base_library_and_task(tmp_path: Path) -> None:
    assert front_matter(card(tmp_path)) == {
        "base_model": "meta-llama/Llama-3.1-8B-Instruct",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["customer-support", "sft", "lora"],
    }
    assert front_matter(card(tmp_path, lora=None))["library_name"] == "transformers"
    assert front_matter(merged_card("a/b", "bfloat16", "f" * 64))["base_model"] == "a/b"


def test_the_settings_are_those_that_were_resolved(tmp_path: Path) -> None:
    choices = Choices("cuda", "bfloat16", backend="peft", attention="flash_attention_2", packing=True)
    text = card(
        tmp_path,
        choices,
        load_in_4bit=True,
        lora={"r": 64, "alpha": 16, "use_rslora": True, "use_dora": True, "top_layers": 6},
        max_steps=100,
        description="tuned on the sample company's tickets",
    )
    for line in (
        "| trained | rsLoRA and DoRA |",
        "| r, alpha, dropout | 64, 16, 0.05 |",
        "| adapters on | q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj |",
        "| blocks | the last 6 |",
        "| base weights | 4 bits (NF4, double quantisation) |",
        "| computed in | bfloat16, on cuda, by peft (flash_attention_2) |",
        "| max_length | 2,048 tokens, packed |",
        "| batch | 16 packed rows a step |",
        "| max_steps | 100 |",
        "| learning_rate | 0.0002 (cosine, 3% warm-up) |",
    ):
        assert line in text.splitlines()
    assert "support assistant. Tuned on the sample company's tickets." in text


def test_data_and_results_are_counted(tmp_path: Path) -> None:
    lines = card(tmp_path).splitlines()
    assert "| train | 1,200 | 90,000 | 40% | 2 | 4 | empty_turn 1, no_trained_token 3 |" in lines
    assert "| val | 1,200 | 90,000 | 40% | 2 | 4 | 0 |" in lines
    assert "| validation loss | 6.250 | 3.180 | -49.1% |" in lines
    assert f"Content hash of the dataset: `{'d' * 64}`." in lines
    assert not any("Alerts" in line or "replay" in line for line in lines)


def test_replayed_data_and_what_was_kept_of_it_are_told(tmp_path: Path) -> None:
    counts = COUNTS | {"replay_base_eval_loss": 2.0, "replay_best_eval_loss": 2.2}
    text = card(tmp_path, counts=counts | {"train": COUNTS["train"] | {"replay": REPLAY}})
    assert "| validation loss on the older dataset | 2.000 | 2.200 | +10.0% |" in text
    assert (
        f"120 (10.0%) are replayed from an older dataset, against forgetting; its content hash: `{'e' * 64}`"
        in text
    )


def test_quantisation_in_training_is_told(tmp_path: Path) -> None:
    text = card(tmp_path, lora=None, qat={"weights": "int4", "group_size": 64})
    assert (
        "| quantisation-aware training | int4 in groups of 64 |" in text
        and "| trained | all weights |" in text
    )
    assert "| quantisation-aware training | int8 |" in card(tmp_path, lora=None, qat={"weights": "int8"})


def test_nothing_is_claimed_of_personal_data_that_the_dataset_does_not_say(tmp_path: Path) -> None:
    assert "was replaced by placeholders" in card(tmp_path)
    assert "was left in the dataset (`pii: null`)" in card(tmp_path, pii=False)
    config = finish_run(tmp_path)
    assert "does not say whether personal data" in (config.output / "README.md").read_text()


def test_vllm_is_given_the_template_and_room_for_the_rank(tmp_path: Path) -> None:
    command = (
        "vllm serve meta-llama/Llama-3.1-8B-Instruct --enable-lora --max-lora-rank 32 \\\n"
        "    --lora-modules customer-support=out/llama31_8b "
        "--chat-template out/llama31_8b/chat_template.jinja"
    )
    text = card(tmp_path, lora={"r": 24})
    assert command in text and "The base's tokenizer is not enough" in text
    for merged_first in ({"use_dora": True}, {"r": 1024}):
        text = card(tmp_path, lora=merged_first)
        assert "python -m sft.merge out/llama31_8b\nvllm serve out/llama31_8b_merged" in text
        assert "--enable-lora" not in text
    assert "vllm serve out/llama31_8b\n" in card(tmp_path, lora=None)


@pytest.mark.parametrize("changes", [{}, {"lora": None}], ids=["adapter", "all weights"])
def test_its_python_code_runs(tmp_path: Path, changes: dict[str, Any], capsys: Any) -> None:
    config = finish_run(tmp_path, **changes)
    text = (config.output / "README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    capsys.readouterr()
    exec(code.replace("max_new_tokens=200", "max_new_tokens=5"), {})
    assert capsys.readouterr().out.strip()


def test_gemma_2_is_loaded_with_the_kernel_that_caps_its_scores(tmp_path: Path) -> None:
    write_model(tmp_path / "base", "gemma2")
    assert 'attn_implementation="eager"' in card(tmp_path, chat_template="gemma2")
    assert "attn_implementation" not in card(tmp_path)


def test_adapters_that_vllm_does_not_serve_are_merged_first(tmp_path: Path) -> None:
    experts = {"dropout": 0, "target_modules": [], "target_parameters": ["mlp.experts.down_proj"]}
    for lora in ({"use_dora": True}, experts, {"r": 1024}):
        text = card(tmp_path, lora=lora)
        assert "python -m sft.merge" in text and "--enable-lora" not in text
    assert "--enable-lora --max-lora-rank 16" in card(tmp_path)
