"""The ONNX encoder on a graph whose results are known, and what it must not import."""

import subprocess
import sys

import numpy as np
import pytest

from common.encoder.runtime import OnnxEncoder
from common.errors import UserError
from tests.common.encoder.small_encoder import DIM, write_exported


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return folder, write_exported(folder)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_vector_is_the_mean_of_its_tokens_without_padding(exported, precision):
    folder, table = exported
    encoder = OnnxEncoder(folder, precision=precision, threads=2)
    found = encoder.embed(["ab", "", "abcdef"], normalise=False)
    ids = encoder.tokenizer.encode("ab").ids
    assert ids == [2, 5, 32, 3]  # [CLS] a ##b [SEP]
    np.testing.assert_allclose(found[0], table[ids].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found[1], table[[2, 3]].mean(axis=0), atol=1e-6)
    assert (encoder.dim, found.shape, found.dtype) == (DIM, (3, DIM), np.float32)


def test_the_length_to_cut_at_comes_with_the_tokenizer(exported):
    encoder = OnnxEncoder(exported[0])
    encoder.embed(["abcdef", "abcdefg"])
    assert encoder.truncated == 1


@pytest.mark.parametrize("missing", ["model.int8.onnx", "tokenizer.json"])
def test_what_is_missing_is_named(tmp_path, missing):
    write_exported(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(UserError, match=f"holds no exported encoder: it has no {missing}"):
        OnnxEncoder(tmp_path)


def test_neither_pytorch_nor_transformers_is_imported(exported, tmp_path):
    (tmp_path / "a.md").write_text("---\nid: a\ntitle: A title\n---\nA paragraph.\n")
    code = f"""
import sys
from pathlib import Path
from common.encoder.runtime import OnnxEncoder
from common.retrieval import Retriever, read_passages

retriever = Retriever(read_passages(Path({str(tmp_path)!r})), OnnxEncoder(Path({str(exported[0])!r})))
assert retriever.search("paragraph")[0].id == "a#1"
print([name for name in ("torch", "transformers", "onnx", "sentence_transformers") if name in sys.modules])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
