from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from sft.config import ALL_PROJECTIONS
from sft.cpu import fused_lora
from sft.cpu.fused_lora import dropped_places, fuse


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
    )
    for name, value in changes.items():
        setattr(lora, name, value)
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


def test_with_dropout_loss_and_gradients_are_those_of_peft_with_the_same_masks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PEFT's own dropout layers get the masks that the fused pass has drawn, one for layers of one input."""
    drawn: list[torch.Tensor] = []

    def recorded(count: int, p: float) -> torch.Tensor:
        drawn.append(dropped_places(count, p))
        return drawn[-1]

    monkeypatch.setattr(fused_lora, "dropped_places", recorded)
    fused, plain = make(0.3), make(0.3)
    fuse(fused)
    actual = loss_and_gradients(fused)
    assert len(drawn) == 8, "two blocks: q k v, o, gate up, down"
    masks = iter([drawn[i] for block in (0, 4) for i in (0, 0, 0, 1, 2, 2, 3) for i in [block + i]])
    for module in plain.modules():
        if isinstance(module, torch.nn.Dropout):
            module.forward = _masked(next(masks))
    torch.testing.assert_close(actual, loss_and_gradients(plain), rtol=1e-4, atol=1e-6)


def _masked(places: torch.Tensor) -> Any:
    return lambda x: x.flatten().index_fill(0, places, 0).view(x.shape) / 0.7


def test_gradients_of_a_shared_input_pass_through_when_it_needs_them() -> None:
    """With gradient checkpointing the embeddings' output needs one, and so do the first block's layers."""
    plain, fused = make(), make()
    fuse(fused)
    ids, found = torch.arange(40).view(2, 20), []
    for model in (plain, fused):
        embeddings = model.get_input_embeddings()(ids).detach().requires_grad_()
        model(inputs_embeds=embeddings, labels=ids).loss.backward()
        found.append(embeddings.grad)
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-6)


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


def test_a_layer_without_its_neighbours_is_fused_alone() -> None:
    plain, fused = make(target_modules={"k_proj", "up_proj"}), make(target_modules={"k_proj", "up_proj"})
    assert fuse(fused) == 4
    torch.testing.assert_close(loss_and_gradients(fused), loss_and_gradients(plain), rtol=1e-4, atol=1e-6)


def test_two_inputs_in_turn_are_not_mixed_up() -> None:
    """A layer that is called again with another input, before its neighbours have been: each gets its own."""
    model = make().eval()
    attention = model.base_model.model.model.layers[0].self_attn
    inputs = torch.randn(2, 1, 5, 32)
    expected = [attention.q_proj(inputs[0]), attention.q_proj(inputs[1]), attention.v_proj(inputs[0])]
    fuse(model)
    actual = [attention.q_proj(inputs[0]), attention.q_proj(inputs[1]), attention.v_proj(inputs[0])]
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize("p", [0.05, 0.5])
def test_places_are_dropped_at_their_rate_everywhere(p: float) -> None:
    torch.manual_seed(1)
    count = 200_000
    places = dropped_places(count, p)
    assert bool((places[1:] > places[:-1]).all()) and places[0] >= 0 and places[-1] < count
    quarters = torch.histc(places.double(), bins=4, min=0, max=count) / (count / 4)
    assert quarters.tolist() == pytest.approx([p] * 4, abs=4 * (p * (1 - p) / (count / 4)) ** 0.5)
    neighbours = ((places[1:] - places[:-1]) == 1).double().mean().item()
    assert neighbours == pytest.approx(p, abs=4 * (p * (1 - p) / len(places)) ** 0.5), (
        "independent of each other"
    )


def test_masks_follow_the_global_seed_and_differ_from_call_to_call() -> None:
    torch.manual_seed(5)
    first, second = dropped_places(4096, 0.5), dropped_places(4096, 0.5)
    torch.manual_seed(5)
    assert torch.equal(dropped_places(4096, 0.5), first)
    assert not torch.equal(first, second)
