"""The head's loss and gradients against Transformers' own, for every architecture."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from sft.cpu.head import add_cpu_head
from sft.data.examples import IGNORE
from tests.common.small_models import write_model

FAMILIES = ("tiny", "qwen2.5", "mistral-v0.3", "gemma2")


def batch() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    ids = torch.randint(10, 60, (3, 24))
    labels = torch.where(torch.rand(3, 24) < 0.4, ids, IGNORE)
    ids[:, :9], labels[:, :9] = ids[0, :9], IGNORE  # a beginning that is shared
    labels[0, 0] = ids[0, 0]  # never a target, though labelled
    labels[2] = IGNORE
    mask = torch.ones_like(ids)
    mask[1, 17:] = 0
    labels[1, 17:] = IGNORE
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def reference(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    logits = logits[:, :-1].flatten(0, 1)
    return torch.nn.functional.cross_entropy(logits, inputs["labels"][:, 1:].flatten(), reduction="sum")


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_full_logits(
    family: str, checkpointing: bool, tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "base", family)
    found = []
    for with_head in (False, True):
        kernel = "eager" if family == "gemma2" else "sdpa"
        model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=kernel)
        if with_head:
            assert add_cpu_head(model) == (family != "gemma2"), "padding is left out but for Gemma 2"
            if checkpointing:
                model.gradient_checkpointing_enable({"use_reentrant": False})
                model.train()
        nll = model(**batch()).nll if with_head else reference(model, batch())
        nll.backward()
        found.append((nll.detach(), {name: p.grad for name, p in model.named_parameters()}))
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-4)


def test_padding_is_left_out_and_a_shared_beginning_computed_once(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(write_model(tmp_path / "base"))
    add_cpu_head(model)
    seen = []
    model.base_model.layers[0].register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].shape[1])
    )
    model(**batch())
    assert seen == [24 + (17 - 8) + (24 - 8)]


def test_without_labels_the_model_gives_all_logits_and_heeds_the_mask(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(write_model(tmp_path / "base"))
    inputs = batch()
    inputs.pop("labels")
    inputs["attention_mask"] = inputs["attention_mask"].flip(1)  # padding on the left, as in generation
    before = model(**inputs).logits
    add_cpu_head(model)
    model(**batch())
    assert torch.equal(model(**inputs).logits, before)


def test_models_with_a_sliding_window_keep_their_padded_rows(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(write_model(tmp_path / "base", "mistral-v0.3"))
    model.config.sliding_window = 8
    assert not add_cpu_head(model)


def test_a_batch_without_trained_tokens_gives_zero_and_gradients_of_zero(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(write_model(tmp_path / "base"))
    add_cpu_head(model)
    inputs = batch()
    inputs["labels"][:] = IGNORE
    nll = model(**inputs).nll
    nll.backward()
    assert nll.item() == 0 and all(not p.grad.any() for p in model.parameters() if p.grad is not None)
