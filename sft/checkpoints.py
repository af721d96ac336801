"""Checkpoints of an unfinished run."""

import json
from pathlib import Path


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
