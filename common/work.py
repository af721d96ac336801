"""Unfinished work on an artifact: a folder beside it that a later run of the same recipe finds again.

with working(config.output, recipe) as work:
    ...                      # checkpoints and shards go to `work`
    with writing(config.output, recipe) as folder: ...
    finish(work)
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.artifacts import Recipe, check_replaceable
from common.errors import UserError

_SHORT = 12


@contextmanager
def working(output: Path, recipe: Recipe, *, fresh: bool = False, protect: bool = False) -> Iterator[Path]:
    """Yield the folder for unfinished work on `output`: the same one again after a kill.

    Remove it by `finish` once the artifact is written. `fresh` empties it. Unfinished work of another recipe
    is discarded, unless `protect` is set: then it may be hours of training, and only `fresh` discards it.
    Raises UserError for such work, and while another process works on `output`.
    """
    check_replaceable(output)
    folder = work_folder(output, recipe)
    root = folder.parent
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{output.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another process is writing '{output}'", "wait for it, or choose another output"
            ) from None
        for stale in root.glob(f"{output.name}-{'?' * _SHORT}"):
            if stale == folder and not fresh:
                continue
            if protect and not fresh:
                raise UserError(
                    f"'{stale}' holds unfinished work on '{output}' by another config, input or version",
                    "--force discards it; restore the config to go on with it; or choose another output",
                )
            shutil.rmtree(stale)
        folder.mkdir(mode=0o700, exist_ok=True)  # what lies in it may not have been scrubbed
        yield folder


def work_folder(output: Path, recipe: Recipe) -> Path:
    """Where `working` puts its folder."""
    return output.parent / ".work" / f"{output.name}-{recipe.fingerprint[:_SHORT]}"


def finish(work: Path) -> None:
    """Remove a `working` folder whose artifact has been written."""
    shutil.rmtree(work)
