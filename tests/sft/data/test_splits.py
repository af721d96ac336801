"""What is said of a run's data before it starts."""

from pathlib import Path
from typing import Any

import pytest

from common.console import console
from common.errors import UserError
from sft.data.splits import load_splits
from tests.sft.small_runs import small_config


def shown(folder: Path, tokenizer: Any, **changes: Any) -> str:
    with console.capture() as said:
        load_splits(small_config(folder, **changes), tokenizer)
    return " ".join(said.get().split())


def test_nothing_is_said_where_everything_fits(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    text = shown(tmp_path, tokenizers["tiny"])
    assert "train 40 examples" in text and "val 8 examples" in text and "warning" not in text


def test_cut_conversations_are_said(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    text = shown(tmp_path, tokenizers["tiny"], max_length=110)
    assert "26 conversations of train are over max_length=110: cut between turns into 65 examples" in text
    changes = {"chat_template": "mistral-v0.3", "max_length": 160}
    assert "without their oldest turns in" in shown(tmp_path, tokenizers["mistral-v0.3"], **changes)


def test_lost_ends_are_said_with_their_tokens(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    text = shown(tmp_path, tokenizers["tiny"], max_length=40)
    assert "examples of train hold one exchange, which is over max_length=40: its end is lost," in text


def test_a_split_without_anything_to_train_on_is_an_error(tmp_path: Path, tokenizers: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="no example of the train split can be trained on") as caught:
        load_splits(small_config(tmp_path, max_length=5), tokenizers["tiny"])
    assert "no_trained_token" in str(caught.value) and "raise max_length" in caught.value.fix
