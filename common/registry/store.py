"""The MLflow store behind a registry: one client, patience with a busy database, named errors, files."""

import logging
import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from common.errors import UserError
from common.registry.locks import alone

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.store.entities import PagedList

T = TypeVar("T")

_SQLITE = "sqlite:///"
_EXPERIMENT = "registry"
_PATIENCE = 60.0
"""Seconds to go on trying while others write to the database."""
_LONGEST_WAIT = 1.0
_BUSY = ("database is locked", "UNIQUE constraint", "duplicate key", "Giving up after")
_BUSY_CODES = ("TEMPORARILY_UNAVAILABLE", "BAD_REQUEST", "INTERNAL_ERROR")
"""Errors that others' writing at the same moment causes: the same call succeeds a little later."""
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",  # about 30 s, where MLflow's own 7 keep one waiting for minutes
}


class StoreError(UserError):
    """MLflow could not do what was asked. `code` is its error code, 'OS' for a file or connection."""

    def __init__(self, what: str, fix: str, code: str) -> None:
        super().__init__(what, fix)
        self.code = code


class Store:
    """MLflow at `uri`: `sqlite:///PATH` (files go to a folder beside it) or `http(s)://SERVER`.

    Raises:
        UserError: another sort of URI.
    """

    def __init__(self, uri: str) -> None:
        self.database: Path | None = None
        if uri.startswith(_SQLITE) and re.fullmatch(r"[^?#%]+", path := uri.removeprefix(_SQLITE)):
            self.database = Path(path).absolute()
            uri = f"{_SQLITE}{self.database}"
        elif not re.match(r"https?://[^/?#]", uri):
            raise UserError(
                f"the registry can't be at '{_without_password(uri)}'",
                "give 'sqlite:///PATH' or the URL of an MLflow tracking server",
            )
        self.uri = uri
        self.shown = _without_password(uri)

    def call(self, function: Callable[["MlflowClient"], T]) -> T:
        """Return `function(client)`, called again while others keep the database busy.

        `function` may thus run more than once, and must bear that.

        Raises:
            StoreError: MLflow refuses, can't be reached, or can't read or write.
        """
        client = self._client
        from mlflow.exceptions import MlflowException

        started, wait = time.monotonic(), 0.05
        while True:
            try:
                return function(client)
            except MlflowException as error:
                busy = error.error_code in _BUSY_CODES and any(sign in str(error) for sign in _BUSY)
                if not busy or time.monotonic() - started > _PATIENCE:
                    raise self._error(error, error.error_code) from error
            except OSError as error:  # files, and what requests raises for uploads and downloads
                raise self._error(error, "OS") from error
            time.sleep(random.uniform(wait / 2, wait))
            wait = min(2 * wait, _LONGEST_WAIT)

    @cached_property
    def experiment_id(self) -> str:
        """The experiment of the registry's runs: one a version, with its files, and one a model's trail."""
        location = None
        if self.database is not None:
            location = self.database.with_name(f"{self.database.stem}-artifacts").as_uri()

        def find_or_create(client: "MlflowClient") -> str:
            found = client.get_experiment_by_name(_EXPERIMENT)
            return found.experiment_id if found else client.create_experiment(_EXPERIMENT, location)

        try:
            return self.call(find_or_create)
        except StoreError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":
                raise
            return self.call(find_or_create)  # another process was faster: now it is found

    def pages(self, search: Callable[["MlflowClient", str | None], "PagedList[T]"]) -> list[T]:
        """All that `search(client, page token)` finds."""
        page = self.call(lambda client: search(client, None))
        found = list(page)
        while token := page.token:
            page = self.call(partial(lambda client, token: search(client, token), token=token))
            found += page
        return found

    def upload(self, run_id: str, path: Path, below: str | None = None) -> None:
        """Copy a file, or all that is in a folder, to a run's files."""
        if path.is_dir():
            self.call(lambda client: client.log_artifacts(run_id, str(path), below))
        else:
            self.call(lambda client: client.log_artifact(run_id, str(path), below))

    def download(self, run_id: str, name: str, folder: Path) -> Path:
        """Copy one of a run's files to `folder`/`name`."""
        return Path(self.call(lambda client: client.download_artifacts(run_id, name, str(folder))))

    @contextmanager
    def files(self, run_id: str) -> Iterator[Path]:
        """A folder with all files of a run: the store's own where this machine has it, else a copy."""
        uri = urlsplit(self.call(lambda client: client.get_run(run_id)).info.artifact_uri)
        if uri.scheme in ("", "file"):
            yield Path(unquote(uri.path))
            return
        with tempfile.TemporaryDirectory() as folder:
            self.call(lambda client: client.download_artifacts(run_id, "", folder))
            yield Path(folder)

    def delete_files(self, run_id: str) -> None:
        """Delete all files of a run; it is no error when there are none."""

        def delete(client: "MlflowClient") -> None:
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            uri = client.get_run(run_id).info.artifact_uri
            get_artifact_repository(uri, tracking_uri=self.uri).delete_artifacts()

        self.call(delete)

    @cached_property
    def _client(self) -> "MlflowClient":
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        # It tells each new table, and a traceback for each busy moment that `call` waits out.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            if self.database is None:
                return MlflowClient(self.uri, self.uri)
            self.database.parent.mkdir(parents=True, exist_ok=True)
            # MLflow creates its tables without a lock: two processes that start at once would both fail.
            with alone(self.database.with_name(f".{self.database.name}.lock")):
                return MlflowClient(self.uri, self.uri)
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise self._error(error, "OPEN") from error

    def _error(self, error: Exception, code: str) -> StoreError:
        # MLflow and SQLAlchemy wrap what the database says in words of their own.
        cause = getattr(error.__cause__ or error, "orig", None) or error
        problem = (str(cause) or type(cause).__name__).splitlines()[0].replace(self.uri, self.shown)
        fix = "check the server's address, and that it runs"
        if self.database is not None:
            fix = "check that this user may write to the file and its folder, and that the disk is not full"
        return StoreError(f"the registry {self.shown} failed: {problem}", fix, code)


def _without_password(uri: str) -> str:
    return re.sub(r"(?<=://)[^/@]*@", "", uri)
