import shutil
from pathlib import Path
from typing import Any

import pytest

from common.console import console
from common.errors import UserError
from sft.config import TrainConfig
from sft.data.examples import Examples
from sft.data.splits import load_splits
from tests.sft.small_runs import rows, small_config, write_dataset


def config_of(folder: Path, older: list[Any], **changes: Any) -> TrainConfig:
    write_dataset(folder / "older", {"train": older, "val": rows(4, 500), "test": []})
    return small_config(folder, replay_dataset=folder / "older", replay_share=0.2, **changes)


def load(config: TrainConfig, tokenizers: dict[str, Any]) -> tuple[Examples, str]:
    with console.capture() as shown:
        training, _ = load_splits(config, tokenizers["tiny"])
    return training, " ".join(shown.get().split())


def replayed(training: Examples) -> list[str]:
    return [row for row in training.row_ids if row.startswith("replay:")]


def test_older_examples_are_their_share_of_all(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    training, shown = load(config_of(tmp_path, rows(30, 100)), tokenizers)
    assert (len(training), len(replayed(training))) == (50, 10), "40 of the new and 10 of 30"
    assert len(set(replayed(training))) == 10 and set(training.row_ids[:40]) == {
        f"row-{n}" for n in range(40)
    }
    assert training.summary()["replay"] == {
        "examples": 10,
        "share": 0.2,
        "of": 30,
        "rows_also_in_dataset": 0,
        "dropped": {},
    }
    assert "replay 10 examples (20.0% of the training examples, of 30 in" in shown


def test_the_draw_depends_on_the_samplers_seed_alone(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    config = config_of(tmp_path, rows(30, 100))
    first, again = (replayed(load(config, tokenizers)[0]) for _ in range(2))
    other = config.model_copy(update={"sampler_seed": 1})
    assert first == again != replayed(load(other, tokenizers)[0])


def test_where_there_are_too_few_all_are_taken_and_that_is_said(
    tmp_path: Path, tokenizers: dict[str, Any]
) -> None:
    training, shown = load(config_of(tmp_path, rows(4, 100)), tokenizers)
    assert len(replayed(training)) == 4 and training.replay["share"] == 0.0909
    assert "replay_share=0.2 asks for 10 examples, replay_dataset has fewer" in shown


def test_rows_of_any_split_of_the_new_dataset_are_not_replayed(
    tmp_path: Path, tokenizers: dict[str, Any]
) -> None:
    """Rows 40 to 47 are its validation split, 48 to 55 its test split."""
    known = [*rows(3), *rows(2, 40), *rows(1, 48)]
    renamed = [row | {"id": f"old-{number}"} for number, row in enumerate(known)]
    training, shown = load(config_of(tmp_path, [*renamed, *rows(5, 100)]), tokenizers)
    assert sorted(replayed(training)) == [f"replay:row-{number}" for number in range(100, 105)]
    assert training.replay["rows_also_in_dataset"] == 6
    assert "6 rows of replay_dataset are in the dataset too, and left out" in shown


def test_older_rows_that_are_dropped_are_counted(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    bad = {"id": "bad", "messages": [{"role": "user", "content": "Hello?"}]}
    training, shown = load(config_of(tmp_path, [bad, *rows(20, 100)]), tokenizers)
    assert training.replay["dropped"] == {"no_assistant_turn": 1} and not training.dropped
    assert "rows of replay_dataset dropped: {'no_assistant_turn': 1}" in shown


def test_nothing_left_to_replay_is_an_error(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"nothing of '.*older' can be replayed: of its 5 rows 5 are in"):
        load_splits(config_of(tmp_path, rows(5)), tokenizers["tiny"])


def test_without_replay_nothing_is_counted(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    training, _ = load(small_config(tmp_path), tokenizers)
    assert len(training) == 40 and "replay" not in training.summary()


def test_holdouts_of_the_new_dataset_are_not_replayed_but_what_it_rejected_is(
    tmp_path: Path, tokenizers: dict[str, Any]
) -> None:
    config = config_of(tmp_path, rows(20, 100))
    splits = {"train": rows(40), "val": rows(8, 40), "test": []}
    held_out = {"unseen_situations": rows(5, 100), "rejected": rows(5, 105)}
    shutil.rmtree(config.dataset)
    write_dataset(config.dataset, splits | held_out)
    training, _ = load(config, tokenizers)
    assert training.replay["rows_also_in_dataset"] == 5
    assert training.replay["of"] == 15
