import random
from typing import Any

import pytest
import torch
from accelerate.data_loader import prepare_data_loader
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from sft.data.batching import RightPaddingCollator
from sft.data.examples import IGNORE, Examples
from sft.data.packing import PackingCollator, ShuffledSampler, pack, packed_columns

LENGTHS = st.lists(st.integers(1, 100), max_size=200)

EXAMPLES = Examples(
    input_ids=[[1, 2, 3], [4, 5], [6, 7, 8, 9]],
    labels=[[IGNORE, 2, 3], [4, 5], [IGNORE, IGNORE, 8, 9]],
    row_ids=["a", "b", "c"],
)


@given(LENGTHS, st.integers(0, 3))
def test_every_example_is_in_one_pack_and_none_is_over_full(lengths: list[int], seed: int) -> None:
    packs = pack(lengths, 100, seed)
    assert sorted(index for one in packs for index in one) == list(range(len(lengths)))
    assert all(0 < sum(lengths[index] for index in one) <= 100 for one in packs)


@given(LENGTHS)
def test_no_two_packs_of_a_window_would_fit_into_one(lengths: list[int]) -> None:
    sizes = sorted(sum(lengths[index] for index in one) for one in pack(lengths, 100, 1))
    assert len(sizes) < 2 or sizes[0] + sizes[1] > 100


def test_packs_depend_on_the_seed_alone_and_mix_windows() -> None:
    lengths = [10] * 12_000
    packs = pack(lengths, 100, 1)
    random.seed(3)
    assert pack(lengths, 100, 1) == packs != pack(lengths, 100, 2)
    assert len(packs) == 1200
    assert max(packs[0]) - min(packs[0]) > 1000, "neighbours in the dataset are not neighbours in a pack"


def test_rows_are_nearly_full() -> None:
    drawn = random.Random(0)
    lengths = [min(2048, round(drawn.lognormvariate(5.5, 0.7))) for _ in range(3000)]
    assert sum(lengths) / (len(pack(lengths, 2048, 1)) * 2048) > 0.99


def test_an_example_that_no_row_can_hold_is_an_error() -> None:
    with pytest.raises(ValueError, match="an example has 101 tokens, more than max_length=100"):
        pack([5, 101], 100, 1)


def batch(packs: list[list[int]]) -> dict[str, torch.Tensor]:
    columns = packed_columns(EXAMPLES, packs)
    rows: list[dict[str, Any]] = [{name: columns[name][n] for name in columns} for n in range(len(packs))]
    return PackingCollator(RightPaddingCollator(0))(rows)


def test_packs_become_one_row_whose_positions_start_anew_at_each_example() -> None:
    made = batch([[2, 0], [1]])
    assert made["input_ids"].tolist() == [[6, 7, 8, 9, 1, 2, 3, 4, 5]]
    assert made["position_ids"].tolist() == [[0, 1, 2, 3, 0, 1, 2, 0, 1]]
    assert made["rows"].tolist() == [2, 0, 1]
    assert "attention_mask" not in made, "Transformers would not look at the positions then"


def test_no_token_is_predicted_from_its_neighbour() -> None:
    labels = batch([[2, 0], [1]])["labels"][0]
    assert labels.tolist() == [IGNORE, IGNORE, 8, 9, IGNORE, 2, 3, IGNORE, 5]


def test_what_is_not_packed_is_padded() -> None:
    made = PackingCollator(RightPaddingCollator(0))([EXAMPLES[0], EXAMPLES[1]])
    assert made["input_ids"].tolist() == [[1, 2, 3], [4, 5, 0]] and "position_ids" not in made


def test_the_order_of_rows_depends_on_seed_and_epoch_alone() -> None:
    sampler = ShuffledSampler(50, seed=1)
    first = list(sampler)
    torch.manual_seed(99)
    assert list(sampler) == first and sorted(first) == list(range(50)) and len(sampler) == 50
    sampler.set_epoch(1)
    assert list(sampler) != first and list(ShuffledSampler(50, seed=2)) != first


def test_two_processes_share_the_rows_of_an_epoch() -> None:
    loaders = [
        prepare_data_loader(
            DataLoader(list(range(48)), batch_size=2, sampler=ShuffledSampler(48, seed=1)),
            num_processes=2,
            process_index=index,
            put_on_device=False,
        )
        for index in range(2)
    ]
    epochs = []
    for epoch in range(2):
        for loader in loaders:
            loader.set_epoch(epoch)
        shares = [[row for batch in loader for row in batch.tolist()] for loader in loaders]
        assert len(shares[0]) == len(shares[1]) and sorted(shares[0] + shares[1]) == list(range(48))
        epochs.append(shares)
    assert epochs[0] != epochs[1]
