"""Training that goes on from an earlier adapter: what fits is loaded whole, what does not is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from common.artifacts import Recipe, input_hash, writing
from common.chat import FAMILIES, load_tokenizer
from common.errors import UserError
from sft import preflight
from sft.backends import prepare
from sft.backends.earlier import check_earlier
from sft.choices import Choices
from sft.config import TrainConfig
from sft.data.splits import load_splits
from sft.setup import make_trainer
from tests.common.small_models import write_adapter, write_model
from tests.sft.small_runs import small_config


def as_artifact(folder: Path, source: Path, model: Path) -> Path:
    """`source` with the manifest that a run of `model` would have written."""
    config = small_config(model.parent, output=folder)
    with writing(folder, Recipe.of("adapter", config, inputs={"model": model}, code=())) as temporary:
        for file in source.iterdir():
            shutil.copy(file, temporary / file.name)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("earlier")
    small_config(folder)
    as_artifact(folder / "first", write_adapter(folder / "plain", folder / "base"), folder / "base")
    return folder


def config_of(folder: Path, **changes: Any) -> TrainConfig:
    return small_config(folder, **{"adapter": folder / "first"} | changes)


def test_the_trainable_adapter_starts_with_the_earlier_weights(folder: Path) -> None:
    model = prepare(config_of(folder), Choices())
    saved = load_file(folder / "first" / "adapter_model.safetensors")
    trained = {name.replace(".default", ""): p for name, p in model.named_parameters() if p.requires_grad}
    assert trained.keys() == saved.keys()
    assert all(torch.equal(weight, saved[name]) for name, weight in trained.items())
    assert any(weight.abs().sum() for name, weight in saved.items() if "lora_B" in name)


def problem(config: TrainConfig) -> UserError:
    with pytest.raises(UserError) as caught:
        check_earlier(config)
    return caught.value


def test_an_adapter_that_fits_passes_with_another_dropout(folder: Path) -> None:
    check_earlier(config_of(folder, lora={"r": 4, "alpha": 8, "dropout": 0.3}))
    check_earlier(small_config(folder))


@pytest.mark.parametrize(
    ("lora", "said", "fix"),
    [
        ({"r": 8}, "its r is 4, not 8", "lora.r: 4"),
        ({"alpha": 16}, "its alpha is 8, not 16", "lora.alpha: 8"),
        ({"use_rslora": True}, "its use_rslora is false, not true", "lora.use_rslora: false"),
        ({"use_dora": True}, "its use_dora is false, not true", "lora.use_dora: false"),
        ({"top_layers": 1}, "its top_layers is null, not 1", "lora.top_layers: null"),
        (
            {"target_modules": ["q_proj", "v_proj"]},
            "o_proj, q_proj, up_proj, v_proj], not [q_proj, v_proj]",
            "lora.target_modules: [down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj]",
        ),
        (
            {"target_parameters": ["mlp.gate_proj.weight"], "dropout": 0.0},
            "its target_parameters is [], not [mlp.gate_proj.weight]",
            "lora.target_parameters: []",
        ),
    ],
)
def test_what_differs_is_named_with_what_to_set(
    folder: Path, lora: dict[str, Any], said: str, fix: str
) -> None:
    error = problem(config_of(folder, lora={"r": 4, "alpha": 8} | lora))
    assert said in str(error) and error.fix == f"set {fix}"


def test_everything_that_differs_is_said_at_once(folder: Path) -> None:
    error = problem(config_of(folder, lora={"r": 8, "alpha": 16}))
    assert error.fix == "set lora.r: 4, lora.alpha: 8"


def changed(folder: Path, name: str, **settings: Any) -> Path:
    """The first adapter with other settings in its adapter_config.json."""
    path = folder / name
    shutil.copytree(folder / "first", path)
    config = json.loads((path / "adapter_config.json").read_text())
    (path / "adapter_config.json").write_text(json.dumps(config | settings))
    return path


def test_blocks_of_stacked_weights_are_counted(folder: Path) -> None:
    names = [f"layers.{block}.mlp.experts.{part}" for block in (1, 2) for part in ("up", "down")]
    adapter = changed(folder, "experts", target_modules=[], target_parameters=names)
    error = problem(config_of(folder, adapter=adapter))
    assert "lora.target_parameters: [mlp.experts.down, mlp.experts.up]" in error.fix
    assert "lora.top_layers: 2" in error.fix


def test_what_the_config_cannot_say_is_refused(folder: Path) -> None:
    adapter = changed(folder, "patterns", alpha_pattern={"q_proj": 64})
    said = str(problem(config_of(folder, adapter=adapter)))
    assert "has alpha_pattern, which `lora` has no setting for" in said


def test_an_adapter_of_another_base(folder: Path) -> None:
    other = write_model(folder / "other", seed=9)
    error = problem(config_of(folder, model=str(other)))
    assert f"was trained on '{folder}/base', not on '{other}'" in str(error)
    assert error.fix.startswith(f"set model: {folder}/base")


def test_the_same_base_in_another_folder_fits(folder: Path) -> None:
    moved = folder / "moved"
    shutil.copytree(folder / "base", moved)
    assert input_hash(moved) == input_hash(folder / "base")
    check_earlier(config_of(folder, model=str(moved)))


def test_an_artifact_that_is_no_adapter(folder: Path) -> None:
    error = problem(config_of(folder, adapter=folder / "dataset"))
    assert "is no adapter: it has no readable adapter_config.json" in str(error)


def test_it_is_checked_before_torch_is_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "gpu_count", lambda: 0)
    with pytest.raises(UserError, match="its r is 4, not 8"):
        preflight.check(config_of(folder, lora={"r": 8, "alpha": 8}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda weights, name: weights.pop(name), "1 missing"),
        (lambda weights, name: weights.update({f"{name}.more": torch.zeros(1)}), "1 for layers that"),
        (lambda weights, name: weights.update({name: weights[name][:2].clone()}), "1 of another shape"),
    ],
)
def test_weights_that_do_not_fit_are_counted_and_one_named(
    folder: Path, tmp_path: Path, change: Any, said: str
) -> None:
    adapter = tmp_path / "damaged"
    shutil.copytree(folder / "first", adapter)
    weights = load_file(adapter / "adapter_model.safetensors")
    name = "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight"
    change(weights, name)
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(UserError, match=said) as caught:
        prepare(config_of(folder, adapter=adapter), Choices())
    assert name in str(caught.value)


@pytest.mark.slow
def test_the_first_validation_loss_is_the_earlier_adapters_best(folder: Path) -> None:
    config = small_config(folder, output=folder / "run")
    tokenizer = load_tokenizer(config.model, FAMILIES["tiny"])
    splits = load_splits(config, tokenizer)
    cpu = Choices(fused_lora=True)
    trainer = make_trainer(config, cpu, tokenizer, *splits, folder / "work-first")
    before = trainer.evaluate()["eval_loss"]
    trainer.train()
    best = trainer.state.best_metric
    trainer.save_model(str(folder / "weights"))
    adapter = as_artifact(folder / "second", folder / "weights", folder / "base")

    going_on = small_config(folder, output=folder / "next", adapter=adapter)
    trainer = make_trainer(going_on, cpu, tokenizer, *splits, folder / "work-second")
    assert trainer.evaluate()["eval_loss"] == pytest.approx(best, rel=1e-6) != pytest.approx(before, rel=1e-2)
    trainer.train()
    assert trainer.state.best_metric < best
