"""A run goes on from a checkpoint only as it began."""

from pathlib import Path

import pytest

from common.errors import UserError
from sft.checkpoints import check_unchanged, last_checkpoint
from sft.choices import Choices


def checkpoint(work: Path, step: int, state: str = "{}") -> Path:
    folder = work / f"checkpoint-{step}"
    folder.mkdir()
    (folder / "trainer_state.json").write_text(state)
    return folder


def test_the_newest_whole_checkpoint_counts(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    checkpoint(tmp_path, 9)
    expected = checkpoint(tmp_path, 10)
    checkpoint(tmp_path, 20, state='{"global_')
    (tmp_path / "checkpoint-30").mkdir()
    assert last_checkpoint(tmp_path) == expected


def test_other_processes_or_choices_are_refused_once_there_is_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    check_unchanged(tmp_path, Choices())
    monkeypatch.setenv("WORLD_SIZE", "4")
    check_unchanged(tmp_path, Choices())  # nothing has been trained yet
    checkpoint(tmp_path, 10)
    check_unchanged(tmp_path, Choices())
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="packing was False and is True; processes was 4 and is 2"):
        check_unchanged(tmp_path, Choices(packing=True))
