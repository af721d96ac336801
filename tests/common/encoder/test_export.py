"""What `python -m common.encoder` writes computes what the model computes."""

import subprocess
import sys

import numpy as np
import pytest

from common import artifacts
from common.command import Options
from common.encoder.__main__ import export
from common.encoder.config import ExportConfig
from common.encoder.export import export_encoder
from common.encoder.model import Encoder
from common.encoder.runtime import OnnxEncoder
from common.errors import UserError
from tests.common.encoder.small_encoder import CONTEXT, DIM, write_encoder

TEXTS = ["", "a", "the quick brown fox", "返品", "x" * 100, "b" * (CONTEXT - 2)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder") / "model")


@pytest.fixture(scope="module")
def exported(model):
    config = ExportConfig(model=str(model), output=model.parent / "exported")
    export(config, Options())
    return config


@pytest.mark.slow
def test_float32_is_exact_for_any_number_and_length_of_texts(model, exported):
    exact = Encoder(str(model), device="cpu")
    for texts in (TEXTS, TEXTS[:1], TEXTS[1:2] * 3):
        found = OnnxEncoder(exported.output, precision="fp32").embed(texts)
        np.testing.assert_allclose(found, exact.embed(texts), atol=1e-5)


@pytest.mark.slow
def test_int8_is_close(model, exported):
    exact = Encoder(str(model), device="cpu").embed(TEXTS)
    found = OnnxEncoder(exported.output, precision="int8").embed(TEXTS)
    assert 0.95 < (found * exact).sum(axis=1).min() < 1


@pytest.mark.slow
def test_the_graph_gives_the_hidden_state_of_every_token(model, exported):
    import torch

    ids = np.array([[2, 5, 6, 3], [2, 7, 3, 0]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])
    session = OnnxEncoder(exported.output, precision="fp32").session
    [hidden] = session.run(["last_hidden_state"], {"input_ids": ids, "attention_mask": mask})
    own = Encoder(str(model), device="cpu").model
    expected = own(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask)).last_hidden_state.numpy()
    assert hidden.shape == (2, 4, DIM)
    np.testing.assert_allclose(hidden[mask == 1], expected[mask == 1], atol=1e-5)


@pytest.mark.slow
def test_the_manifest_says_what_was_measured(exported):
    manifest = artifacts.read_manifest(exported.output)
    assert manifest.kind == "encoder"
    assert set(manifest.files) == {"model.onnx", "model.int8.onnx", "tokenizer.json"}
    assert (manifest.counts["dim"], manifest.counts["max_length"]) == (DIM, CONTEXT)
    assert 0 < manifest.counts["fp32_difference"] < 1e-5
    assert 0.9 < manifest.counts["int8_cosine"] < 1


@pytest.mark.slow
def test_the_same_model_gives_the_same_bytes_and_none_of_this_machine_s_paths(model, exported, capsys):
    again = exported.model_copy(update={"output": exported.output.with_name("again")})
    export(again, Options())
    first, second = (artifacts.read_manifest(config.output) for config in (exported, again))
    assert first.content_hash == second.content_hash
    for name in first.files:
        assert b".py" not in (exported.output / name).read_bytes()
    export(exported, Options())
    assert "is up to date" in capsys.readouterr().out


@pytest.mark.slow
def test_a_graph_that_computes_something_else_is_refused(model, tmp_path, monkeypatch):
    import torch

    encoder = Encoder(str(model), device="cpu")
    exact = encoder.embed
    monkeypatch.setattr(encoder, "embed", lambda texts: exact(texts) + np.float32(0.01))
    with pytest.raises(UserError, match=r"differ from the model's by up to 1\.0e-02"):
        export_encoder(encoder, tmp_path)
    assert torch.is_grad_enabled()


def test_a_dry_run_writes_nothing_and_imports_nothing(tmp_path, model):
    (tmp_path / "encoder.yaml").write_text(f"model: {model}\noutput: {tmp_path / 'exported'}\n")
    code = "import runpy, sys; sys.argv[1:] = ['encoder.yaml', '--dry-run']\n"
    code += "try:\n    runpy.run_module('common.encoder', run_name='__main__')\n"
    code += "finally:\n    print([name for name in ('torch', 'transformers', 'onnx') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "would export" in done.stdout
    assert done.stdout.strip().endswith("[]")
    assert not (tmp_path / "exported").exists()
