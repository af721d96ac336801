import torch
from hypothesis import given
from hypothesis import strategies as st

from sft.data.batching import LengthGroupedSampler, RightPaddingCollator

LENGTHS = st.lists(st.integers(1, 2000), min_size=1, max_size=300)


@given(LENGTHS, st.integers(1, 32), st.integers(0, 5))
def test_every_example_comes_once_an_epoch(lengths: list[int], size: int, epoch: int) -> None:
    sampler = LengthGroupedSampler(lengths, size, seed=1)
    sampler.set_epoch(epoch)
    assert sorted(sampler) == list(range(len(lengths))) and len(sampler) == len(lengths)


def test_order_depends_on_seed_and_epoch_alone() -> None:
    lengths = list(range(1, 200))
    sampler = LengthGroupedSampler(lengths, 8, seed=1)
    first = list(sampler)
    torch.manual_seed(99)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert list(LengthGroupedSampler(lengths, 8, seed=2)) != first


def test_batches_are_of_like_length_and_shuffled() -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 1000, (800,), generator=generator).tolist()
    order = list(LengthGroupedSampler(lengths, 16, seed=1))
    batches = [[lengths[i] for i in order[at : at + 16]] for at in range(0, 800, 16)]
    padded = sum(max(batch) * 16 for batch in batches)
    assert padded < 1.05 * sum(lengths), "in random order padding would add about 90 %"
    assert [max(batch) for batch in batches] != sorted(max(batch) for batch in batches)


def test_the_incomplete_batch_comes_last() -> None:
    order = list(LengthGroupedSampler([5] * 35, 16, seed=1))
    assert len(order) == 35 and len(set(order[:32])) == 32


def test_collator_pads_on_the_right_and_leaves_padding_out_of_the_loss() -> None:
    batch = RightPaddingCollator(pad_token_id=9)(
        [
            {"input_ids": [1, 2, 3], "labels": [-100, 2, 3], "row": 5},
            {"input_ids": [4], "labels": [4], "row": 0},
        ]
    )
    assert batch["input_ids"].tolist() == [[1, 2, 3], [4, 9, 9]]
    assert batch["labels"].tolist() == [[-100, 2, 3], [4, -100, -100]]
    assert batch["rows"].tolist() == [5, 0]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
