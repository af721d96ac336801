import pytest
import torch
from transformers.models.gemma2.modeling_gemma2 import Gemma2RMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from sft.cpu.rms_norm import replace_norms


def test_values_and_gradients_are_those_of_the_plain_norm() -> None:
    torch.manual_seed(0)
    norm, x, g = LlamaRMSNorm(48, eps=1e-5), torch.randn(3, 5, 48) * 7, torch.randn(3, 5, 48)
    norm.weight.data.uniform_(0.5, 2)
    norm.requires_grad_(False)
    found = []
    for _ in range(2):
        leaf = x.clone().requires_grad_()
        y = norm(leaf)
        y.backward(g)
        found.append((y.detach(), leaf.grad))
        assert replace_norms(norm) == 1
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-6)


def test_its_derivative_is_right() -> None:
    norm = LlamaRMSNorm(8)
    norm.weight.data.uniform_(0.5, 2)
    norm.requires_grad_(False)
    replace_norms(norm)
    norm.weight.data = norm.weight.double()
    assert torch.autograd.gradcheck(norm, torch.randn(4, 8, dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize("norm", [LlamaRMSNorm(8), Gemma2RMSNorm(8).requires_grad_(False)])
def test_trained_and_other_norms_are_left_alone(norm: torch.nn.Module) -> None:
    assert replace_norms(norm) == 0
