"""Checkpoints of an unfinished run."""

import json
from dataclasses import asdict
from pathlib import Path

from common.errors import UserError
from sft import ranks
from sft.choices import Choices


def check_unchanged(work: Path, choices: Choices) -> None:
    """Check that a run that was interrupted goes on as it began, and note how for one that begins.

    Raises:
        UserError: it ran on another number of processes, or `auto` meant something else: steps and their rows
            would not be the same.
    """
    path = work / "choices.json"
    now = asdict(choices) | {"processes": ranks.world_size()}
    if last_checkpoint(work) is None or not path.is_file():
        path.write_text(json.dumps(now))
        return
    before = json.loads(path.read_text())
    if different := [name for name in now if now[name] != before.get(name)]:
        changes = "; ".join(f"{name} was {before.get(name)} and is {now[name]}" for name in different)
        raise UserError(
            f"the interrupted run can't go on: {changes}",
            "start it as it was started before; --force discards its checkpoints and begins anew",
        )


def last_checkpoint(work: Path) -> Path | None:
    """The newest complete checkpoint: `trainer_state.json` is written last, so a killed save lacks it."""
    found = [path.parent for path in work.glob("checkpoint-*/trainer_state.json") if _is_json(path)]
    return max(found, key=lambda path: int(path.name.split("-")[1]), default=None)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True
