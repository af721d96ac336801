"""Registries to test against: MLflow on SQLite, and a real `mlflow server` process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.registry import Registry


@pytest.fixture(scope="session", autouse=True)
def no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("no_proxy", "127.0.0.1")
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an MLflow tracking server with a database and files of its own."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "2"]
    command += ["--artifacts-destination", str(folder / "files")]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/mlflow.db"


@pytest.fixture(params=["sqlite", pytest.param("server", marks=pytest.mark.slow)])
def uri(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


@pytest.fixture
def registry(uri: str) -> Registry:
    return Registry(uri)


@pytest.fixture
def name() -> str:
    """A model of one test: the registries serve all of them, since a new database takes a second."""
    return f"support-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A folder as `sft.train` writes it, but for size."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    metadata = {
        "created_at": "2026-01-02T03:04:05+00:00",
        "git_commit": "0123abc",
        "dataset_hash": "d" * 64,
        "description": "four epochs",
    }
    (folder / "adapter_config.json").write_text('{"r": 16, "base_model_name_or_path": "tiny"}')
    (folder / "adapter_model.safetensors").write_bytes(bytes(range(256)) * 40)
    (folder / "training_args.json").write_text('{"learning_rate": 0.008}')
    (folder / "metadata.json").write_text(json.dumps(metadata))
    (folder / "chat").mkdir()
    (folder / "chat" / "template.jinja").write_text("{{ messages }}")
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "evaluation_results.json"
    path.write_text('{"rouge_l": 0.122}')
    return path
