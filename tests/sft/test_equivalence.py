"""What must not change a loss: packing, and how an effective batch is split into micro-batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TrainerCallback

from common.chat import FAMILIES, load_tokenizer
from common.models import load_weights
from sft.choices import Choices
from sft.cpu.head import add_cpu_head
from sft.data.batching import RightPaddingCollator
from sft.data.examples import Examples, load_examples
from sft.data.packing import PackingCollator, packed_columns
from sft.setup import make_trainer
from tests.common.small_models import write_model
from tests.sft.small_runs import rows, small_config, write_dataset

EQUAL = {"rel": 1e-5, "abs": 1e-6}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small matrices are slower on several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=["tiny", "qwen2.5", "mistral-v0.3", "gemma2"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Examples]:
    """A small random model with the CPU's head, in training mode, and examples of five conversations."""
    folder, name = tmp_path_factory.mktemp("equivalence"), request.param
    base = write_model(folder / "base", name)
    write_dataset(folder / "dataset", {"train": rows(5), "val": rows(1)})
    tokenizer = load_tokenizer(str(base), FAMILIES[name])
    examples = load_examples(folder / "dataset" / "train.jsonl", tokenizer, FAMILIES[name], 256)
    model = load_weights(str(base), FAMILIES[name], torch.float32)
    add_cpu_head(model)
    return model.train(), Examples(examples.input_ids[:5], examples.labels[:5], examples.row_ids[:5])


def packed(examples: Examples, packs: list[list[int]]) -> dict[str, torch.Tensor]:
    columns = packed_columns(examples, packs)
    collate = PackingCollator(RightPaddingCollator(0))
    batch = collate([{name: columns[name][n] for name in columns} for n in range(len(packs))])
    del batch["rows"]
    return batch


@torch.no_grad()
def nll(model: Any, batch: dict[str, torch.Tensor]) -> float:
    return model(**batch).nll.item()


def alone(examples: Examples, index: int) -> dict[str, torch.Tensor]:
    return {
        "input_ids": torch.tensor([examples.input_ids[index]]),
        "labels": torch.tensor([examples.labels[index]]),
    }


@pytest.mark.parametrize("packs", [[[3, 0, 2, 1, 4]], [[3, 0], [2], [1, 4]]], ids=["one pack", "three packs"])
def test_packed_examples_have_the_loss_that_they_have_alone(
    family: tuple[Any, Examples], packs: list[list[int]]
) -> None:
    model, examples = family
    together = nll(model, packed(examples, packs))
    assert together == pytest.approx(sum(nll(model, alone(examples, number)) for number in range(5)), **EQUAL)


@torch.no_grad()
def log_probs(model: Any, batch: dict[str, torch.Tensor], tokens: slice) -> torch.Tensor:
    """Log-probabilities of the whole vocabulary at `tokens`.

    Without a cache, as in training: Transformers does not look at the positions when there is one.
    """
    batch = {name: values for name, values in batch.items() if name != "labels"}
    return model(**batch, use_cache=False).logits[0, tokens].log_softmax(dim=-1)


def test_an_example_does_not_see_its_neighbours(family: tuple[Any, Examples]) -> None:
    model, examples = family
    batch = packed(examples, [[0, 1, 2]])
    first, second = examples.lengths[0], examples.lengths[1]
    others = slice(first, None)
    before = log_probs(model, batch, others)
    changed = batch | {"input_ids": batch["input_ids"].clone()}
    changed["input_ids"][0, 1:first] = changed["input_ids"][0, 1:first].flip(0)
    assert torch.equal(log_probs(model, changed, others), before)

    unguarded = [log_probs(model, {"input_ids": one["input_ids"]}, others) for one in (batch, changed)]
    seen = (unguarded[0] - unguarded[1]).abs().amax(dim=-1)
    assert seen[:second].max() > 1e-3, "without positions that start anew its neighbour would show"


@dataclass
class Run:
    """Losses and rows of each optimizer step, and the adapter's weights after the last."""

    losses: list[float]
    rows: list[list[int]]
    weights: dict[str, torch.Tensor]
    steps_an_epoch: int


class Rows(TrainerCallback):
    """Keeps which examples each optimizer step has trained on."""

    def __init__(self, trainer: Any) -> None:
        self.trainer = trainer
        self.seen: list[list[int]] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self.seen.append([row for micro_batch in self.trainer.step.rows for row in micro_batch])


def run(folder: Path, batch: int, accumulation: int, *, packing: bool = False, steps: int = 7) -> Run:
    config = small_config(
        folder,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulation,
        lora={"r": 4, "alpha": 8, "dropout": 0.0},
        max_steps=steps,
        eval_steps=100,
        logging_steps=1,
    )
    tokenizer = load_tokenizer(config.model, FAMILIES["tiny"])
    train, val = (
        load_examples(config.dataset / f"{name}.jsonl", tokenizer, FAMILIES["tiny"], config.max_length)
        for name in ("train", "val")
    )
    choices = Choices("cpu", "float32", fused_lora=True, packing=packing)
    trainer = make_trainer(config, choices, tokenizer, train, val, folder / f"work-{batch}x{accumulation}")
    rows_seen = Rows(trainer)
    trainer.add_callback(rows_seen)
    trainer.train()
    return Run(
        losses=[record["loss"] for record in trainer.state.log_history if "loss" in record],
        rows=rows_seen.seen,
        weights={name: p.detach() for name, p in trainer.model.named_parameters() if p.requires_grad},
        steps_an_epoch=-(-len(trainer.get_train_dataloader()) // accumulation),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def eight_at_once(folder: Path) -> Run:
    return run(folder, 8, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "accumulation"), [(1, 8), (2, 4)])
def test_accumulated_micro_batches_train_as_one_batch(
    folder: Path, eight_at_once: Run, batch: int, accumulation: int
) -> None:
    """Seven steps, the first epoch's five and two of the next."""
    accumulated = run(folder, batch, accumulation)
    assert accumulated.rows == eight_at_once.rows
    assert accumulated.losses == pytest.approx(eight_at_once.losses, rel=1e-5)
    assert eight_at_once.losses[-1] < 0.95 * eight_at_once.losses[0], "equal, but not for want of training"
    for name, weight in accumulated.weights.items():
        torch.testing.assert_close(weight, eight_at_once.weights[name], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_an_epoch_of_packs_trains_each_example_once_and_the_next_in_another_order(folder: Path) -> None:
    packed_run = run(folder, 2, 2, packing=True, steps=12)
    epoch = packed_run.steps_an_epoch
    assert epoch == 6, "22 rows of up to 256 tokens, where 40 examples are 10 steps"
    epochs = [packed_run.rows[:epoch], packed_run.rows[epoch : 2 * epoch]]
    for rows_of_steps in epochs:
        assert sorted(row for step in rows_of_steps for row in step) == list(range(40))
    assert epochs[0] != epochs[1]
    assert packed_run.losses[-1] < 0.9 * packed_run.losses[0]


@pytest.mark.slow
def test_one_row_of_everything_trains_as_one_padded_batch(folder: Path) -> None:
    """Packed and padded, the same 40 examples in a step of the optimizer: the same loss and gradient."""
    padded, in_packs = run(folder, 40, 1, steps=2), run(folder, 40, 1, packing=True, steps=2)
    assert [sorted(step) for step in in_packs.rows] == [sorted(step) for step in padded.rows]
    assert in_packs.losses == pytest.approx(padded.losses, rel=1e-5)
    for name, weight in in_packs.weights.items():
        torch.testing.assert_close(weight, padded.weights[name], rtol=1e-4, atol=1e-5)
