"""Continual training: some older data among the new, against forgetting (Rolnick et al. 2019)."""

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.chat import FAMILIES
from common.console import choice, warn
from common.errors import UserError
from sft.config import TrainConfig
from sft.data.examples import Examples, read_rows, render_rows, split_files

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def add_replay(config: TrainConfig, tokenizer: "PreTrainedTokenizerBase", training: Examples) -> None:
    """Add examples of `config.replay_dataset`'s training split to `training`, and say how many.

    They are drawn with `sampler_seed`, without replacement, so that they are `replay_share` of all training
    examples. Rows that the new dataset has too, in any split or holdout, are not taken: no row is trained on
    twice, and none that the run is measured on.

    Raises:
        UserError: nothing of the older data can be trained on.
    """
    assert config.replay_dataset is not None
    rows = read_rows(config.replay_dataset / "train.jsonl")
    known = _messages_of(config.dataset)
    new_rows = [row for row in rows if messages_key(row) not in known]
    for row in new_rows:
        row["id"] = f"replay:{row['id']}"
    family = FAMILIES[config.chat_template]
    older = render_rows(new_rows, tokenizer, family, config.max_length, what="replay_dataset")
    if not len(older):
        raise UserError(
            f"nothing of '{config.replay_dataset}' can be replayed: of its {len(rows)} rows "
            f"{len(rows) - len(new_rows)} are in '{config.dataset}' too, dropped are {dict(older.dropped)}",
            "choose another replay_dataset, or leave it out",
        )
    wanted = round(len(training) * config.replay_share / (1 - config.replay_share))
    order = list(range(len(older)))
    random.Random(f"{config.sampler_seed}:replay").shuffle(order)
    taken = sorted(order[:wanted])
    for index in taken:
        training.input_ids.append(older.input_ids[index])
        training.labels.append(older.labels[index])
        training.row_ids.append(older.row_ids[index])
    training.replay = {
        "examples": len(taken),
        "share": round(len(taken) / len(training), 4),
        "of": len(older),
        "rows_also_in_dataset": len(rows) - len(new_rows),
        "dropped": dict(older.dropped),
    }
    _say(config, training.replay, wanted)


def _say(config: TrainConfig, replay: dict[str, Any], wanted: int) -> None:
    choice(
        "replay",
        f"{replay['examples']:,} examples",
        f"{replay['share']:.1%} of the training examples, of {replay['of']:,} in {config.replay_dataset}",
    )
    if replay["rows_also_in_dataset"]:
        warn(f"{replay['rows_also_in_dataset']} rows of replay_dataset are in the dataset too, and left out")
    if replay["dropped"]:
        warn(f"rows of replay_dataset dropped: {replay['dropped']}")
    if replay["examples"] < wanted:
        warn(f"replay_share={config.replay_share} asks for {wanted:,} examples, replay_dataset has fewer")


def _messages_of(dataset: Path) -> set[str]:
    return {messages_key(row) for path in split_files(dataset) for row in read_rows(path)}


def messages_key(row: dict[str, Any]) -> str:
    """The same for rows of the same messages."""
    return json.dumps(row["messages"], sort_keys=True)
