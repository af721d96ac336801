"""Our side of Unsloth, on a stand-in: the order of imports, the arguments it is given, what is refused."""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from common.config import load
from common.errors import ConfigError, UserError
from sft.backends import unsloth
from sft.choices import Choices
from sft.config import TrainConfig
from tests.sft.small_runs import small_config

ROOT = Path(__file__).parents[3]
GPU = Choices("cuda", "bfloat16", backend="unsloth")


def gpu_config(folder: Path, **changes: Any) -> TrainConfig:
    return small_config(folder, device="auto", backend="unsloth", gradient_checkpointing=True, **changes)


class FakeFastModel:
    """Records the arguments, and loads by PEFT on the CPU."""

    calls: dict[str, dict[str, Any]]

    @classmethod
    def from_pretrained(cls, **arguments: Any) -> tuple[Any, None]:
        cls.calls = {"from_pretrained": arguments}
        config = SimpleNamespace(num_hidden_layers=2)
        names = [(f"layers.0.{name}", None) for name in ("q_proj", "v_proj")]
        return SimpleNamespace(config=config, named_modules=lambda: names, named_parameters=lambda: []), None

    @classmethod
    def get_peft_model(cls, model: Any, **arguments: Any) -> Any:
        cls.calls["get_peft_model"] = arguments
        return model


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[FakeFastModel]:
    small_config(tmp_path)  # writes model and dataset, whose manifest would look for Unsloth's version
    module = ModuleType("unsloth")
    module.FastLanguageModel = FakeFastModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unsloth", module)
    return FakeFastModel


def test_unsloth_is_imported_in_one_module_only() -> None:
    importing = set()
    for package in ("common", "data_pipeline", "sft", "eval", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                if any(name.partition(".")[0] in ("unsloth", "unsloth_zoo") for name in names):
                    importing.add(path.relative_to(ROOT).as_posix())
    assert importing == {"sft/backends/unsloth.py"}


@pytest.mark.slow
def test_the_command_imports_unsloth_before_what_it_rewrites(tmp_path: Path) -> None:
    config = gpu_config(tmp_path, max_steps=1, report_to=["mlflow"])
    (tmp_path / "unsloth.py").write_text(
        "import sys\n"
        "early = {'transformers', 'trl', 'peft', 'accelerate'} & set(sys.modules)\n"
        "raise SystemExit(f'imported before: {sorted(early)}')\n"
    )
    program = (
        "import sys\n"
        "from sft import train\n"
        "from sft.choices import Choices\n"
        "from common.command import Options\n"
        "from sft.config import TrainConfig\n"
        "train.resolve = lambda config: Choices('cuda', 'bfloat16', backend='unsloth')\n"
        "train.train(TrainConfig.model_validate_json(sys.argv[1]), Options())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, config.model_dump_json()],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert "imported before: []" in done.stderr, done.stdout + done.stderr


def test_a_failing_import_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            if name == "unsloth":
                raise NotImplementedError("Unsloth cannot find any torch accelerator? You need a GPU.\nMore.")

    monkeypatch.delitem(sys.modules, "unsloth", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Failing(), *sys.meta_path])
    with pytest.raises(UserError) as caught:
        unsloth.import_first()
    assert caught.value.what.endswith(
        "NotImplementedError: Unsloth cannot find any torch accelerator? You need a GPU."
    )
    assert "locks/gpu.txt" in caught.value.fix and "backend: peft" in caught.value.fix


def test_the_import_counts_nothing_and_leaves_the_working_directory_alone(
    fake: type[FakeFastModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UNSLOTH_DISABLE_STATISTICS", "UNSLOTH_COMPILE_LOCATION"):
        monkeypatch.setenv(name, "")  # so that it is restored
        monkeypatch.delenv(name)
    unsloth.import_first()
    assert os.environ["UNSLOTH_DISABLE_STATISTICS"] == "1"
    assert Path(os.environ["UNSLOTH_COMPILE_LOCATION"]).is_absolute()


def test_the_config_reaches_unsloth(fake: type[FakeFastModel], tmp_path: Path) -> None:
    lora = {
        "r": 8, "alpha": 32, "dropout": 0.1, "top_layers": 1, "target_modules": ["q_proj", "v_proj"],
        "use_rslora": True,
    }  # fmt: skip
    config = gpu_config(tmp_path, load_in_4bit=True, lora=lora, seed=5, max_length=128)
    unsloth.prepare(config, GPU)
    assert fake.calls["from_pretrained"] == {
        "model_name": str(tmp_path / "base"),
        "use_exact_model_name": True,
        "max_seq_length": 128,
        "dtype": torch.bfloat16,
        "load_in_4bit": True,
        "device_map": {"": "cuda:0"},
        "use_gradient_checkpointing": "unsloth",
    }
    assert fake.calls["get_peft_model"] == {
        "r": 8,
        "lora_alpha": 32,
        "lora_dropout": 0.1,
        "target_modules": ["q_proj", "v_proj"],
        "layers_to_transform": [1],
        "use_rslora": True,
        "bias": "none",
        "use_gradient_checkpointing": "unsloth",
        "random_state": 5,
        "max_seq_length": 128,
    }


def test_checkpointing_can_be_off(tmp_path: Path) -> None:
    config = small_config(tmp_path, backend="unsloth", gradient_checkpointing=False)
    assert unsloth.load_arguments(config, GPU)["use_gradient_checkpointing"] is False
    assert unsloth.adapter_arguments(config, 2)["use_gradient_checkpointing"] is False


@pytest.mark.parametrize(
    ("changes", "packing", "message"),
    [
        ({"max_length": 300}, False, "over the model's 256 positions"),
        ({"chat_template": "gemma2"}, True, "does not keep packed examples apart"),
        ({"lora": {"target_modules": ["q_proj", "qkv"]}}, False, "no modules named qkv"),
        ({"model": "./missing"}, False, "can't load the model './missing'"),
    ],
)
def test_what_unsloth_would_do_otherwise_is_refused(
    fake: type[FakeFastModel], tmp_path: Path, changes: dict[str, Any], packing: bool, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        unsloth.prepare(gpu_config(tmp_path, **changes), Choices("cuda", backend="unsloth", packing=packing))


def test_a_sharded_launch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(UserError, match="Unsloth trains whole models"):
        unsloth.prepare(gpu_config(tmp_path), GPU)


@pytest.mark.parametrize(
    "overrides",
    [
        ["lora.use_dora=true"],
        ["lora.target_parameters=[experts.down_proj]", "lora.dropout=0"],
        ["device=cpu"],
        ["lora=null"],
        ["lora=null", "qat={}"],
    ],
)
def test_config_refuses_what_is_not_for_unsloth(overrides: list[str]) -> None:
    overrides = ["backend=unsloth", "load_in_4bit=false", *overrides]
    with pytest.raises(ConfigError, match="set backend: peft"):
        load(TrainConfig, ROOT / "configs" / "llama31_8b.yaml", overrides, check_paths=False)


def test_packed_examples_get_their_lengths() -> None:
    packed = {"input_ids": torch.ones(1, 9), "position_ids": torch.tensor([[0, 1, 2, 0, 0, 1, 2, 3, 4]])}
    inputs = unsloth.model_inputs(packed)
    assert inputs["packed_seq_lengths"].tolist() == [3, 1, 5]
    assert inputs["packed_seq_lengths"].dtype == torch.int32
    assert inputs["use_cache"] is False
    assert "packed_seq_lengths" not in packed, "the caller's inputs are left alone"
    assert set(unsloth.model_inputs({"input_ids": torch.ones(2, 4)})) == {"input_ids", "use_cache"}


@pytest.mark.gpu
@pytest.mark.slow
def test_both_backends_have_the_bases_loss_and_learn(tmp_path: Path) -> None:
    if not importlib.util.find_spec("unsloth"):
        pytest.skip("needs Unsloth: locks/gpu.txt")
    losses = {}
    for backend in ("unsloth", "peft"):
        config = gpu_config(tmp_path, max_steps=20, packing=False, output=tmp_path / backend)
        config = config.model_copy(update={"backend": backend})
        (tmp_path / f"{backend}.yaml").write_text(config.model_dump_json())
        subprocess.run([sys.executable, "-m", "sft.train", str(tmp_path / f"{backend}.yaml")], check=True)
        losses[backend] = json.loads((tmp_path / backend / "training_args.json").read_text())
    base = [run["base_eval_loss"] for run in losses.values()]
    assert base[0] == pytest.approx(base[1], rel=0.02)
    for run in losses.values():
        assert run["best_eval_loss"] < 0.9 * run["base_eval_loss"]
