"""An adapter that `sft.train` wrote answers in a real vLLM as it does in Transformers, from the same ids."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from common.chat import FAMILIES, load_tokenizer, render_prompt
from common.config import dump
from common.models import load
from sft.data.examples import load_examples
from tests.common.small_models import write_model
from tests.sft.small_runs import rows, small_config
from tests.vllm_server import VllmServer, serving_model

pytestmark = [pytest.mark.vllm, pytest.mark.slow]
TINY = FAMILIES["tiny"]
TIE = 1e-3
"""Logits of two tokens so close count as equal: both kernels compute in float32, in another order."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained adapter of a base with 32 dimensions a head, which vLLM wants at least."""
    folder = tmp_path_factory.mktemp("served")
    write_model(folder / "base", context=512, hidden_size=128)
    config = small_config(folder, max_steps=20, lora={"r": 8, "alpha": 16}, eval_steps=10)
    (folder / "sft.yaml").write_text(dump(config))
    subprocess.run([sys.executable, "-m", "sft.train", str(folder / "sft.yaml")], check=True)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[VllmServer]:
    adapter = folder / "adapter"
    options = ["--enable-lora", "--max-lora-rank", "8", "--lora-modules", f"support-v1={adapter}"]
    template = ["--chat-template", str(adapter / "chat_template.jinja"), "--dtype", "float32"]
    with serving_model(folder / "base", *options, *template) as server:
        yield server


def ask(server: VllmServer, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        server.url.replace("/v1", path), json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=120) as answer:
        return json.load(answer)


def prompts() -> list[list[dict[str, str]]]:
    """Conversations that wait for their last reply."""
    return [row["messages"][:-1] for row in rows(12, 200)]  # type: ignore[index]


def reply(server: VllmServer, model: str, prompt_ids: list[int]) -> list[int]:
    body = {
        "model": model,
        "prompt": prompt_ids,
        "temperature": 0,
        "max_tokens": 24,
        "return_token_ids": True,
    }
    ids: list[int] = ask(server, "/v1/completions", body)["choices"][0]["token_ids"]
    return ids


def test_vllm_makes_the_ids_that_training_saw(server: VllmServer, folder: Path) -> None:
    tokenizer = load_tokenizer(folder / "base", TINY)
    examples = load_examples(folder / "dataset" / "train.jsonl", tokenizer, TINY, 512)
    trained_on = dict(zip(examples.row_ids, examples.input_ids, strict=True))
    with (folder / "dataset" / "train.jsonl").open() as lines:
        for row in map(json.loads, list(lines)[:10]):
            body = {"model": "tiny", "messages": row["messages"], "add_generation_prompt": False}
            assert ask(server, "/tokenize", body)["tokens"] == trained_on[row["id"]]
    for messages in prompts():
        body = {"model": "tiny", "messages": messages}
        assert ask(server, "/tokenize", body)["tokens"] == render_prompt(tokenizer, TINY, messages)


def test_greedy_replies_are_those_of_transformers(server: VllmServer, folder: Path) -> None:
    """Fed with vLLM's own tokens, Transformers finds each of them the likeliest, or tied with it."""
    model, tokenizer = load(str(folder / "base"), adapter=folder / "adapter", family=TINY, dtype="float32")
    base_differs = 0
    for messages in prompts():
        prompt_ids = render_prompt(tokenizer, TINY, messages)
        ids = reply(server, "support-v1", prompt_ids)
        logits = model(torch.tensor([prompt_ids + ids])).logits[0, len(prompt_ids) - 1 : -1]
        behind = logits.max(dim=-1).values - logits.gather(1, torch.tensor(ids)[:, None]).squeeze(1)
        assert len(ids) >= 5 and behind.max().item() < TIE
        base_differs += reply(server, "tiny", prompt_ids) != ids
    assert base_differs >= 10, "the adapter is what answers"
