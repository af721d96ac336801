"""Unsloth's real sources: that they know the arguments we give, and that our trainer is right inside theirs.

They lie in the folder UNSLOTH_SITE, or in .unsloth, which `make unsloth` fills. Arguments are read from the
sources, because an import needs a GPU, or much of the GPU's environment.
"""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sft.backends import unsloth
from sft.choices import Choices
from tests.sft.small_runs import small_config

ROOT = Path(__file__).parents[3]
SITE = Path(os.environ.get("UNSLOTH_SITE", ROOT / ".unsloth"))
HAS_TRITON = importlib.util.find_spec("triton") is not None or (SITE / "triton").is_dir()
pytestmark = pytest.mark.skipif(
    not (SITE / "unsloth").is_dir(), reason="no Unsloth in .unsloth: make unsloth, or set UNSLOTH_SITE"
)


def named_parameters(file: str, function: str) -> set[str]:
    """Parameters of a function `Class.name` of the installed Unsloth that have names of their own."""
    owner, _, name = function.rpartition(".")
    for node in ast.parse((SITE / "unsloth" / file).read_text()).body:
        inside = node.body if isinstance(node, ast.ClassDef) and node.name == owner else [node]
        for found in inside:
            if isinstance(found, ast.FunctionDef) and found.name == name and (found is not node or not owner):
                return {one.arg for one in (*found.args.args, *found.args.kwonlyargs)}
    raise AssertionError(f"no {function} in {file}")


@pytest.mark.parametrize(
    ("file", "function"),
    [
        ("models/llama.py", "FastLlamaModel.get_peft_model"),
        ("models/vision.py", "FastBaseModel.get_peft_model"),
    ],
)
def test_unsloth_knows_every_argument_of_the_adapter_by_name(
    tmp_path: Path, file: str, function: str
) -> None:
    arguments = unsloth.adapter_arguments(small_config(tmp_path, backend="unsloth"), layers=2)
    assert set(arguments) - named_parameters(file, function) == set()


def test_unsloth_knows_every_argument_of_the_base_by_name(tmp_path: Path) -> None:
    arguments = unsloth.load_arguments(
        small_config(tmp_path, backend="unsloth"), Choices("cuda", "bfloat16", backend="unsloth")
    )
    known = named_parameters("models/loader.py", "FastLanguageModel.from_pretrained")
    assert set(arguments) - known == set()


@pytest.mark.slow
@pytest.mark.skipif(not HAS_TRITON, reason="Unsloth's import needs triton: make unsloth")
def test_our_trainer_is_right_inside_unsloths(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sft.backends.unsloth_on_cpu", str(tmp_path)],
        env=os.environ
        | {
            "UNSLOTH_ALLOW_CPU": "1",
            "UNSLOTH_COMPILE_LOCATION": str(tmp_path / "compiled"),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{SITE}",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    padded, packed = json.loads(done.stdout.splitlines()[-1])
    for seen in (padded, packed):
        assert seen["base"] == "UnslothSFTTrainer"
        assert (seen["optimizer"], seen["collator"]) == ("adamw_torch_fused", "PackingCollator")
        assert not seen["flattened"], "Unsloth would flatten batches that are ours"
        for ours, reference in (seen["loss over 7"], seen["mean loss"]):
            assert ours == pytest.approx(reference, rel=1e-5)
        assert seen["validation"][-1] < seen["validation"][0]
        assert all(loss < 20 for loss in seen["training"])
    assert padded["rows of the last step"] == 4
