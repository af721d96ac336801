import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from common.artifacts import read_manifest
from common.chat import FAMILIES, load_tokenizer
from common.config import dump, load
from sft.tiny.config import TinyConfig
from sft.tiny.dialogues import conversation
from sft.tiny.muon import Muon, orthogonalise
from sft.tiny.pretrain import batches, learning_rate_factor, make_model
from sft.tiny.tokenizer import train_tokenizer

ROOT = Path(__file__).resolve().parent.parent.parent


def small(output: Path, **changes: object) -> TinyConfig:
    settings: dict[str, object] = {
        "output": output,
        "vocab_size": 400,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "sequence_length": 64,
        "batch_size": 4,
        "steps": 30,
        "warmup_steps": 3,
        "tokenizer_conversations": 200,
        "test_conversations": 5,
    }
    return TinyConfig.model_validate(settings | changes)


def words(text: str, count: int) -> set[tuple[str, ...]]:
    """All runs of `count` words of a text, in lower case."""
    found = re.findall(r"\w+", text.lower())
    return {tuple(found[i : i + count]) for i in range(len(found) - count + 1)}


def test_the_shipped_config_loads_and_stays_within_the_stated_size(tmp_path: Path) -> None:
    path = ROOT / "configs/quickstart/tiny.yaml"
    config = load(TinyConfig, path, check_paths=False)
    assert path.read_text().startswith("# python -m sft.tiny configs/quickstart/tiny.yaml\n")
    tokenizer = train_tokenizer(["a text"], 300)
    model = make_model(config, tokenizer)
    weights = model.num_parameters() + (config.vocab_size - len(tokenizer)) * config.hidden_size
    assert 3e6 <= weights <= 10e6


def test_the_shop_is_not_in_the_pre_training_text() -> None:
    """No sentence part of eight words of its articles and answers, and none of its names."""
    shop: set[tuple[str, ...]] = set()
    for path in (ROOT / "data_pipeline/sample/content").rglob("*.*"):
        shop |= words(path.read_text(encoding="utf-8"), 8)
    general: set[tuple[str, ...]] = set()
    for index in range(4000):
        for message in conversation(7, index):
            general |= words(message["content"], 8)
            assert not re.search(r"\b(manga|mangaassist|tankobon|comics?|anime)\b", message["content"], re.I)
    assert len(shop) > 20_000 and len(general) > 50_000
    assert not shop & general


def test_tokenizer_is_of_the_tiny_family_and_loses_no_byte(tmp_path: Path) -> None:
    texts = [message["content"] for index in range(300) for message in conversation(7, index)]
    train_tokenizer(texts, 600).save_pretrained(tmp_path)
    tokenizer = load_tokenizer(tmp_path, FAMILIES["tiny"])
    for text in ("Hello there, 第3巻はありますか? 🙂 naïve", "order 4711"):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text
    assert len(tokenizer("4711", add_special_tokens=False)["input_ids"]) == 4, "digits are copied one by one"


def test_batches_go_on_where_they_were(tmp_path: Path) -> None:
    config = small(tmp_path)
    tokenizer = train_tokenizer((m["content"] for i in range(50) for m in conversation(7, i)), 400)
    stream = batches(config, tokenizer, skip=0)
    first = [next(stream) for _ in range(6)]
    assert first[0].shape == (4, 65)
    assert torch.equal(next(batches(config, tokenizer, skip=5)), first[5])
    assert not torch.equal(first[0], first[1])


def test_learning_rate_warms_up_and_ends_at_a_tenth(tmp_path: Path) -> None:
    config = small(tmp_path, steps=100, warmup_steps=10)
    factors = [learning_rate_factor(step, config) for step in range(101)]
    assert factors[0] == pytest.approx(0.1) and factors[9] == 1 and factors[100] == pytest.approx(0.1)
    assert max(factors) == 1 and factors[10:] == sorted(factors[10:], reverse=True)


@pytest.mark.parametrize("shape", [(3, 8, 20), (2, 20, 8), (1, 6, 6)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    result = orthogonalise(matrices)
    values = torch.linalg.svdvals(result)
    assert result.shape == shape and values.min() > 0.6 and values.max() < 1.3
    # Same directions: the left and right singular vectors stay, so this product is symmetric and positive.
    product = matrices @ result.transpose(1, 2)
    torch.testing.assert_close(
        product, product.transpose(1, 2), atol=0.02 * product.abs().max().item(), rtol=0
    )


def test_muon_equals_pytorchs_up_to_bfloat16() -> None:
    def run(make: object) -> torch.Tensor:
        torch.manual_seed(0)
        weight = torch.randn(24, 16, requires_grad=True)
        optimizer = make([weight])  # type: ignore[operator]
        for step in range(5):
            weight.grad = torch.sin(weight.detach() * (step + 1))
            optimizer.step()
        return weight.detach()

    ours = run(lambda p: Muon(p, lr=0.02))
    theirs = run(lambda p: torch.optim.Muon(p, lr=0.02, weight_decay=0.0))
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)


@pytest.mark.slow
def test_the_command_writes_a_model_that_has_learned(tmp_path: Path) -> None:
    output = tmp_path / "base"
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(small(output)))
    command = [sys.executable, "-m", "sft.tiny", str(config)]
    first = subprocess.run(command, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert subprocess.run(command, capture_output=True, text=True).stdout == f"{output} is up to date\n"
    assert read_manifest(output).kind == "model"
    rows = [json.loads(line) for line in (output / "general_test.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"general-{i}" for i in range(5)]
    assert all(row["messages"] != conversation(7, i) for i, row in enumerate(rows))

    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(output)
    tokenizer = load_tokenizer(output, FAMILIES["tiny"])
    ids = torch.tensor([tokenizer.apply_chat_template(rows[0]["messages"], return_dict=True)["input_ids"]])
    assert model(input_ids=ids, labels=ids).loss.item() < 0.9 * torch.log(torch.tensor(400.0)).item()
