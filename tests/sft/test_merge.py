"""Merging: the merged model says what base and adapter say, and is written whole or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from common.artifacts import read_manifest, verify
from common.chat import FAMILIES, load_tokenizer
from common.registry import MODEL
from common.registry.kinds import inspect
from sft.config import ALL_PROJECTIONS
from sft.merge import main
from tests.common.small_models import write_model

pytestmark = pytest.mark.slow

EXPERTS = ("mlp.experts.gate_up_proj", "mlp.experts.down_proj")
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "lora": ("tiny", {}),
    "rslora": ("tiny", {"use_rslora": True}),
    "dora": ("tiny", {"use_dora": True}),
    "top layers": ("tiny", {"layers_to_transform": [1]}),
    "experts": ("qwen3", {"target_modules": ["q_proj"], "target_parameters": list(EXPERTS)}),
    "gemma": ("gemma2", {}),
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Several threads would wait for each other most of the time: the models are tiny."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merge")


def adapter_of(root: Path, kind: str) -> Path:
    """An adapter as `sft.train` writes it, but for what merging does not read; and its base."""
    family, options = KINDS[kind]
    base, folder = root / f"base-{family}", root / kind
    if folder.exists():
        return folder
    if not base.exists():
        write_model(base, family)
    model = AutoModelForCausalLM.from_pretrained(base)
    torch.manual_seed(7)
    settings = {"r": 4, "lora_alpha": 8, "target_modules": list(ALL_PROJECTIONS)} | options
    lora = LoraConfig(**settings, init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(model, lora).save_pretrained(folder)
    load_tokenizer(base, FAMILIES[family]).save_pretrained(folder)
    metadata = {"base_model": str(base), "chat_template": family, "description": "of the test"}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    (folder / "training_args.json").write_text('{"learning_rate": 0.01}')
    return folder


def log_probabilities(model: Any, seed: int = 5) -> torch.Tensor:
    torch.manual_seed(seed)
    ids = torch.randint(0, model.config.vocab_size, (4, 50))
    with torch.no_grad():
        return model.eval()(input_ids=ids).logits.float().log_softmax(-1)


def load(folder: Path, dtype: str, adapter: Path | None = None) -> Any:
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=getattr(torch, dtype), attn_implementation="eager"
    )
    return model if adapter is None else PeftModel.from_pretrained(model, adapter)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_says_what_base_and_adapter_say(
    root: Path, tmp_path: Path, kind: str, dtype: str, capsys: Any
) -> None:
    adapter, base = adapter_of(root, kind), root / f"base-{KINDS[kind][0]}"
    assert main([str(adapter), "--dtype", dtype, "--output", str(tmp_path / "merged")]) == 0
    assert "of the most likely tokens are the same" in capsys.readouterr().out
    merged = log_probabilities(load(tmp_path / "merged", dtype))
    adapted, alone = log_probabilities(load(base, dtype, adapter)), log_probabilities(load(base, dtype))
    difference, effect = (merged - adapted).abs(), (adapted - alone).abs().mean()
    mean = {"float32": 1e-5, "float16": 0.03, "bfloat16": 0.15}[dtype]
    assert effect > 0.3 and difference.mean() < min(mean, 0.1 * effect)
    if dtype == "float32":
        assert difference.max() < 1e-3 and torch.equal(merged.argmax(-1), adapted.argmax(-1))


def test_the_folder_is_a_whole_model(root: Path, capsys: Any) -> None:
    adapter = adapter_of(root, "lora")
    settings = json.loads((root / "base-tiny" / "config.json").read_text())
    assert settings["eos_token_id"] is None, "else the next lines would prove nothing"
    assert main([str(adapter)]) == 0
    output = root / "lora_merged"
    assert f"wrote {output}" in capsys.readouterr().out
    assert verify(output) == [] and read_manifest(output).kind == "model"
    assert {"README.md", "model.safetensors", "config.json", "tokenizer.json"} <= {
        path.name for path in output.iterdir()
    }
    for name in ("chat_template.jinja", "tokenizer.json", "tokenizer_config.json", "training_args.json"):
        assert (output / name).read_bytes() == (adapter / name).read_bytes()
    end_of_turn = AutoTokenizer.from_pretrained(output).convert_tokens_to_ids("<|end|>")
    assert json.loads((output / "generation_config.json").read_text())["eos_token_id"] == end_of_turn
    assert json.loads((output / "config.json").read_text())["dtype"] == "bfloat16"
    assert inspect(output, MODEL)[1]["adapter_hash"] == read_manifest(output).inputs["adapter"]


def test_a_second_merge_has_nothing_to_do_and_a_new_one_is_equal(
    root: Path, tmp_path: Path, capsys: Any
) -> None:
    command = [str(adapter_of(root, "lora")), "--output", str(tmp_path / "one")]
    assert main(command) == 0
    capsys.readouterr()
    assert main(command) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'one'} is up to date\n"
    assert main([*command[:2], str(tmp_path / "two")]) == 0
    one, two = (read_manifest(tmp_path / name).content_hash for name in ("one", "two"))
    assert one == two


def test_the_base_s_own_way_of_sampling_goes_along(root: Path, tmp_path: Path) -> None:
    adapter = adapter_of(root, "lora")
    base = write_model(tmp_path / "base")
    sampling = {"do_sample": True, "temperature": 0.6, "eos_token_id": [4, 5]}
    (base / "generation_config.json").write_text(json.dumps(sampling))
    assert main([str(adapter), "--base", str(base), "--output", str(tmp_path / "merged")]) == 0
    written = json.loads((tmp_path / "merged" / "generation_config.json").read_text())
    assert (written["temperature"], written["eos_token_id"]) == (0.6, 2)
    assert json.loads((tmp_path / "merged" / "metadata.json").read_text())["base_model"] == str(base)


def test_a_wrong_merge_is_not_written(
    root: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PeftModel, "merge_and_unload", lambda self, safe_merge: self.unload(), raising=False)
    command = [str(adapter_of(root, "top layers")), "--output", str(tmp_path / "merged")]
    for dtype in ("float32", "bfloat16"):
        assert main([*command, "--dtype", dtype]) == 1
        assert f"more than {dtype} explains" in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


def test_broken_weights_are_refused(root: Path, tmp_path: Path, capsys: Any) -> None:
    from safetensors.torch import load_file, save_file

    broken = copy(adapter_of(root, "lora"), tmp_path / "broken")
    weights = load_file(broken / "adapter_model.safetensors")
    weights[next(iter(weights))][0, 0] = float("nan")
    save_file(weights, broken / "adapter_model.safetensors")
    assert main([str(broken)]) == 1
    assert "NaNs detected in the merged weights" in capsys.readouterr().err


def test_only_an_adapter_is_merged(root: Path, tmp_path: Path, capsys: Any) -> None:
    adapter = adapter_of(root, "lora")
    (tmp_path / "empty").mkdir()
    unnamed = copy(adapter, tmp_path / "unnamed")
    (unnamed / "metadata.json").unlink()
    for folder, problem in [
        (tmp_path / "nowhere", "no such folder"),
        (tmp_path / "empty", "it has no adapter_config.json"),
        (root / "base-tiny", "holds a whole model: it is merged already"),
        (unnamed, "has no metadata.json that names its chat_template"),
    ]:
        assert main([str(folder)]) == 1
        assert problem in capsys.readouterr().err


def test_the_base_must_fit_and_be_in_16_bits(root: Path, tmp_path: Path, capsys: Any) -> None:
    adapter = adapter_of(root, "lora")
    wider = write_model(tmp_path / "wider", hidden_size=64)
    quantised = write_model(tmp_path / "quantised")
    settings = json.loads((quantised / "config.json").read_text())
    settings["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (quantised / "config.json").write_text(json.dumps(settings))
    for base, problem in [
        (wider, "does not fit the model"),
        (quantised, "are quantised"),
        (tmp_path / "nowhere", "no such model folder"),
        (adapter, "is an adapter"),
    ]:
        assert main([str(adapter), "--base", str(base), "--output", str(tmp_path / "merged")]) == 1
        assert problem in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


def test_what_is_read_is_never_replaced(root: Path, capsys: Any) -> None:
    adapter = adapter_of(root, "lora")
    for output in (adapter, adapter / "merged", root, root / "base-tiny"):
        assert main([str(adapter), "--output", str(output)]) == 1
        assert "would replace" in capsys.readouterr().err
    assert (adapter / "adapter_config.json").is_file() and not (adapter / "merged").exists()


def copy(folder: Path, to: Path) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to
