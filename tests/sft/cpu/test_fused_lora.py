from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from sft.config import ALL_PROJECTIONS
from sft.cpu.fused_lora import _Dropout, _SharedDropout, fuse


def make(dropout: float = 0.0, **changes: Any) -> Any:
    torch.manual_seed(0)
    base = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=64,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
        )
    )
    lora = LoraConfig(
        r=4,
        lora_alpha=8,
        lora_dropout=dropout,
        target_modules=list(ALL_PROJECTIONS),
        init_lora_weights=False,
        task_type="CAUSAL_LM",
        **changes,
    )
    return get_peft_model(base, lora).train()


def loss_and_gradients(model: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    ids = torch.arange(40).view(2, 20)
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    return loss.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def test_without_dropout_loss_and_gradients_equal_peft() -> None:
    plain, fused = make(), make()
    assert fuse(fused) == 14
    expected, actual = loss_and_gradients(plain), loss_and_gradients(fused)
    assert set(actual[1]) == set(expected[1]) and len(actual[1]) == 28
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-6)


def test_evaluation_takes_no_dropout() -> None:
    plain, fused = make(0.5).eval(), make(0.5).eval()
    fuse(fused)
    ids = torch.arange(20).view(1, 20)
    torch.testing.assert_close(fused(input_ids=ids).logits, plain(input_ids=ids).logits, rtol=1e-4, atol=1e-5)


def test_a_disabled_adapter_gives_the_base() -> None:
    model = make()
    fuse(model)
    ids = torch.arange(20).view(1, 20)
    with model.disable_adapter():
        disabled = model(input_ids=ids).logits
    torch.testing.assert_close(disabled, model.unload()(input_ids=ids).logits)


@pytest.mark.parametrize("changes", [{"use_dora": True}, {"lora_bias": True, "bias": "none"}])
def test_layers_of_another_kind_are_left_alone(changes: dict[str, Any]) -> None:
    assert fuse(make(**changes)) == 0


@pytest.mark.parametrize("p", [0.05, 0.5])
def test_dropout_has_its_rate_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(1)
    x = torch.ones(400, 501)
    dropped = _Dropout.apply(x, p)
    zeros = (dropped == 0).double().mean().item()
    assert zeros == pytest.approx(p, abs=4 * (p * (1 - p) / x.numel()) ** 0.5)
    assert dropped.max().item() == pytest.approx(1 / (1 - p))


def test_gradient_passes_where_the_input_was_kept() -> None:
    x = torch.ones(50, 50, requires_grad=True)
    dropped = _Dropout.apply(x, 0.3)
    dropped.sum().backward()
    torch.testing.assert_close(x.grad, dropped.detach())


def test_masks_follow_the_global_seed_and_differ_from_call_to_call() -> None:
    x = torch.ones(64, 64)
    torch.manual_seed(5)
    first, second = _Dropout.apply(x, 0.5), _Dropout.apply(x, 0.5)
    torch.manual_seed(5)
    assert torch.equal(_Dropout.apply(x, 0.5), first)
    assert not torch.equal(first, second)


def test_siblings_share_a_mask_and_other_inputs_do_not() -> None:
    shared = _SharedDropout()
    x = torch.ones(8, 8)
    assert shared.dropped(x, 0.5) is shared.dropped(x, 0.5)
    assert shared.dropped(x.clone(), 0.5) is not shared.dropped(x, 0.5)
    assert shared.dropped(x, 0.0) is x
