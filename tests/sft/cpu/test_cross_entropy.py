import pytest
import torch

from sft.cpu.cross_entropy import linear_cross_entropy


@pytest.mark.parametrize("rows", [1, 511, 512, 1300])
def test_loss_and_gradients_equal_pytorch(rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    hidden, weight = (
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((rows, 16), (37, 16))
    )
    targets = torch.randint(0, 37, (rows,), generator=generator)
    (linear_cross_entropy(hidden, weight, targets) / 7).backward()
    ours = (hidden.grad, weight.grad)
    hidden.grad = weight.grad = None
    expected = torch.nn.functional.cross_entropy(hidden @ weight.t(), targets, reduction="sum")
    (expected / 7).backward()
    torch.testing.assert_close(linear_cross_entropy(hidden, weight, targets), expected)
    torch.testing.assert_close(ours, (hidden.grad, weight.grad))


def test_a_frozen_head_gets_no_gradient() -> None:
    hidden = torch.randn(5, 4, requires_grad=True)
    weight = torch.randn(9, 4)
    linear_cross_entropy(hidden, weight, torch.arange(5)).backward()
    assert hidden.grad is not None and weight.grad is None


def test_no_rows_give_zero() -> None:
    hidden = torch.empty(0, 4, requires_grad=True)
    loss = linear_cross_entropy(hidden, torch.randn(9, 4), torch.empty(0, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0


def test_large_logits_do_not_overflow() -> None:
    hidden = torch.tensor([[1e4, 0.0]])
    loss = linear_cross_entropy(hidden, torch.eye(2), torch.tensor([1]))
    assert loss.item() == pytest.approx(1e4)
