"""A run that files are copied to before they become a version, and what happens when they do not.

The version is created last, so MLflow shows it only once all is there. Until then the run is 'RUNNING', and
its process holds a lock on this machine: a later registration can tell what a killed one has left from what
another is still at work on.
"""

import fcntl
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from common.registry.store import Store, StoreError

if TYPE_CHECKING:
    from mlflow.entities import Run

_TOKEN = "registration"
_GIVEN_UP = 24 * 3600.0
"""Seconds after which an unfinished registration of another machine counts as killed."""


@contextmanager
def staging(store: Store, run_name: str) -> Iterator["Run"]:
    """Yield a new run for a version's files. Where no version came of it, run and files go again."""
    _remove_left_behind(store)
    token = uuid.uuid4().hex
    lock = _lock(token)
    lock.parent.mkdir(mode=0o700, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            tags = {_TOKEN: token}
            run = store.call(lambda client: client.create_run(store.experiment_id, None, tags, run_name))
            try:
                yield run
            finally:
                # Where this fails too, a later registration does it; what failed first is what counts.
                with suppress(StoreError):
                    _settle(store, run.info.run_id)
        finally:
            lock.unlink(missing_ok=True)


def _remove_left_behind(store: Store) -> None:
    """Remove runs of registrations whose process was killed."""
    unfinished = store.call(
        lambda client: client.search_runs([store.experiment_id], "attributes.status = 'RUNNING'")
    )
    for run in unfinished:
        if (token := run.data.tags.get(_TOKEN)) is None:
            continue  # another process's new trail
        lock = _lock(token)
        if not lock.exists():
            if time.time() - run.info.start_time / 1000 > _GIVEN_UP:
                _settle(store, run.info.run_id)
            continue
        with suppress(BlockingIOError), lock.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel drops a killed process's lock
            _settle(store, run.info.run_id)
            lock.unlink(missing_ok=True)


def _settle(store: Store, run_id: str) -> None:
    """End a run that became a version, even if its process was killed right after; remove any other."""
    if store.call(lambda client: client.search_model_versions(f"run_id = '{run_id}'")):
        store.call(lambda client: client.set_terminated(run_id))
    elif store.call(lambda client: client.get_run(run_id)).info.lifecycle_stage == "active":
        store.delete_files(run_id)
        store.call(lambda client: client.delete_run(run_id))


def _lock(token: str) -> Path:
    return Path(tempfile.gettempdir(), f"supportlm-registry-{os.geteuid()}", f"{token}.lock")
