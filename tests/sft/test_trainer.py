"""The CPU loss against Transformers' own, and what the trainer reports."""

from pathlib import Path
from typing import Any

import pytest
import torch

import sft.setup
from common.chat import FAMILIES, load_tokenizer
from sft.choices import Choices
from sft.data.examples import IGNORE, Examples, load_examples
from sft.data.splits import load_splits
from sft.setup import make_trainer, training_arguments
from sft.trainer import SupportTrainer
from tests.common.small_models import write_model
from tests.sft.small_runs import small_config

CPU = Choices("cpu", "float32", fused_lora=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trainer")


def make(folder: Path, **changes: Any) -> tuple[Any, Examples]:
    config = small_config(folder, **changes)
    tokenizer = load_tokenizer(config.model, FAMILIES[config.chat_template])
    splits = [
        load_examples(config.dataset / f"{name}.jsonl", tokenizer, FAMILIES[config.chat_template], 256)
        for name in ("train", "val")
    ]
    return make_trainer(config, CPU, tokenizer, splits[0], splits[1], folder / "work"), splits[1]


def reference(model: Any, examples: Examples) -> tuple[float, int]:
    """Sum of -log p of the trained tokens and their number, by Transformers' own forward pass."""
    total, tokens = 0.0, 0
    for example in (examples[i] for i in range(len(examples))):
        labels = torch.tensor(example["labels"][1:])
        logits = model(input_ids=torch.tensor([example["input_ids"]])).logits[0, :-1]
        total += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        tokens += int((labels != IGNORE).sum())
    return total, tokens


def test_validation_loss_is_weighted_by_tokens(folder: Path) -> None:
    trainer, validation = make(folder)
    reported = trainer.evaluate()["eval_loss"]
    with torch.no_grad():
        total, tokens = reference(trainer.model.eval(), validation)
    assert len(set(validation.lengths)) > 2, "equal lengths would hide a wrong weighting"
    assert reported == pytest.approx(total / tokens, rel=1e-5)


def test_loss_of_a_padded_batch_equals_that_of_its_rows(folder: Path) -> None:
    trainer, validation = make(folder)
    batch = trainer.data_collator([validation[i] for i in range(len(validation))])
    with torch.no_grad():
        loss = trainer.compute_loss(trainer.model.eval(), batch, num_items_in_batch=torch.tensor(10))
        total, _ = reference(trainer.model, validation)
    assert loss.item() == pytest.approx(total / 10, rel=1e-5)


def test_gemmas_soft_cap_is_applied(tmp_path: Path) -> None:
    write_model(tmp_path / "base", "gemma2")
    trainer, validation = make(tmp_path, chat_template="gemma2")
    assert trainer.model.config.final_logit_softcapping
    with torch.no_grad():
        total, tokens = reference(trainer.model.eval(), validation)
    assert trainer.evaluate()["eval_loss"] == pytest.approx(total / tokens, rel=1e-4)


def test_a_batch_without_trained_tokens_gives_zero_and_no_nan(folder: Path) -> None:
    trainer, validation = make(folder)
    batch = trainer.data_collator([validation[0]])
    batch["labels"][:] = IGNORE
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    assert loss.item() == 0


def test_validation_keeps_no_logits(folder: Path) -> None:
    """Logits of a whole split would fill the memory (8,000 tokens x 128,256 entries are 4 GB)."""
    trainer, validation = make(folder)
    loss, logits, labels = trainer.prediction_step(
        trainer.model, trainer.data_collator([validation[0]]), False
    )
    assert loss.item() > 0 and logits is None and labels is None


def test_arguments_carry_the_recipe(folder: Path) -> None:
    config = small_config(folder, learning_rate=2e-4, warmup_ratio=0.03, gradient_checkpointing=True)
    arguments = training_arguments(config, Choices("cpu", "bfloat16", fused_lora=False), folder)
    assert (arguments.learning_rate, arguments.warmup_steps, arguments.bf16) == (2e-4, 0.03, True)
    assert (arguments.eval_steps, arguments.save_steps) == (3, 3)
    assert arguments.gradient_checkpointing and arguments.load_best_model_at_end
    assert arguments.max_length is None, "TRL would cut examples at 1,024 tokens without a word"


def test_what_is_trained_is_float32_whatever_trl_makes_of_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRL turns adapters on a 4-bit base into bfloat16; the base here only says that it is one."""
    prepare = sft.setup.prepare

    def prepare_4_bit(*arguments: Any) -> Any:
        model = prepare(*arguments)
        model.base_model.model.is_loaded_in_4bit = True
        return model

    monkeypatch.setattr(sft.setup, "prepare", prepare_4_bit)
    seen = []
    monkeypatch.setattr(
        SupportTrainer,
        "_keep_trained_weights_in_float32",
        lambda trainer: (seen.append(dtypes(trainer.model)), keep(trainer))[1],
    )
    trainer, _ = make(folder)
    assert seen == [{torch.bfloat16}], "else TRL no longer does it, and the method is not needed"
    assert dtypes(trainer.model) == {torch.float32}


keep = SupportTrainer._keep_trained_weights_in_float32


def dtypes(model: torch.nn.Module) -> set[torch.dtype]:
    return {parameter.dtype for parameter in model.parameters() if parameter.requires_grad}


def test_weights_that_are_all_trained_stay_float32_and_are_computed_with_in_16_bits(folder: Path) -> None:
    config = small_config(folder, lora=None, learning_rate=1e-5, max_steps=4)
    tokenizer = load_tokenizer(config.model, FAMILIES["tiny"])
    choices = Choices("cpu", "bfloat16")
    trainer = make_trainer(config, choices, tokenizer, *load_splits(config, tokenizer), folder / "whole")
    seen = set()
    layer = trainer.model.model.layers[0].mlp.down_proj
    layer.register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    before = layer.weight.detach().clone()
    trainer.train()
    assert (layer.weight.dtype, seen) == (torch.float32, {torch.bfloat16})
    assert (layer.weight != before).float().mean() > 0.99, "in bfloat16 such steps leave most weights alone"
    trainer.round_weights("bfloat16")
    assert {parameter.dtype for parameter in trainer.model.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("top_layers", [None, 1])
def test_gradients_stop_below_the_lowest_adapter(folder: Path, top_layers: int | None) -> None:
    lora = {"r": 4, "alpha": 8, "top_layers": top_layers}
    trainer, _ = make(folder, lora=lora, gradient_checkpointing=True)
    passed = set()
    first = trainer.model.base_model.model.model.layers[0]
    first.register_forward_hook(lambda module, inputs, output: passed.add(output.requires_grad))
    trained = [p for p in trainer.model.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in trained]
    trainer.evaluate()
    passed.clear()
    trainer.train()
    in_training = passed - {False} if top_layers is None else passed
    assert in_training == {top_layers is None}
    assert any((p != old).any() for p, old in zip(trained, before, strict=True))
