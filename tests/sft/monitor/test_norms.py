import pytest
import torch

from sft.monitor import norms
from sft.monitor.norms import WeightNorms, group_names


class Small(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(2, 2, bias=False) for _ in range(8)])
        self.head = torch.nn.Linear(2, 1, bias=False)
        for block in self.layers[:7]:
            block.requires_grad_(False)
        torch.nn.init.constant_(self.layers[7].weight, 2.0)  # norm 4
        torch.nn.init.constant_(self.head.weight, 1.5)


class Wrapped(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = Small()


def test_blocks_fall_into_four_groups_and_the_rest() -> None:
    names = group_names([0, 7, 8, 31, None], 32)
    assert names == ["blocks_0-7", "blocks_0-7", "blocks_8-15", "blocks_24-31", "rest"]
    assert group_names([0, 3, 9], 10) == ["blocks_0-2", "blocks_3-4", "blocks_8-9"]
    assert group_names([0, 1], 2) == ["blocks_0", "blocks_1"]
    assert group_names([None], 0) == ["rest"]


def test_norms_are_those_of_trained_weights_and_their_change() -> None:
    model = Wrapped()
    watched = WeightNorms(model)
    watched.remember()
    with torch.no_grad():
        model.model.layers[7].weight += 0.5  # the update's norm is 1, the weight's 5 then
        model.model.head.weight += 0
    head = (2 * 1.5**2) ** 0.5
    assert watched.figures() == pytest.approx(
        {
            "weight_norm/all": (25 + head**2) ** 0.5,
            "weight_norm/blocks_6-7": 5,
            "weight_norm/rest": head,
            "update_norm/all": 1,
            "update_norm/blocks_6-7": 1,
            "update_norm/rest": 0,
            "update_ratio": 1 / (25 + head**2) ** 0.5,
        }
    )
    assert "update_norm/all" not in watched.figures(), "the copy is given up"


def test_large_weights_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(norms, "_LARGEST_COPY", 23)  # the trained ones have 6 numbers, 24 bytes
    watched = WeightNorms(Wrapped())
    watched.remember()
    assert set(watched.figures()) == {"weight_norm/all", "weight_norm/blocks_6-7", "weight_norm/rest"}


def test_norms_of_16_bit_weights_are_summed_in_32() -> None:
    model = torch.nn.Linear(10_000, 1, bias=False, dtype=torch.bfloat16)
    torch.nn.init.constant_(model.weight, 0.01)
    stored = float(model.weight[0, 0].detach())
    assert WeightNorms(model).figures()["weight_norm/all"] == pytest.approx(100 * stored, rel=1e-5)
