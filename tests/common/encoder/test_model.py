"""The PyTorch encoder: equal to sentence-transformers, whatever the batch, and honest about its limits."""

import gzip
import json

import numpy as np
import pytest

from common.encoder.embedded import EMBEDDED, source
from common.encoder.model import Encoder
from common.errors import UserError
from tests.common.encoder.small_encoder import CONTEXT, DIM, write_encoder

ODD_TEXTS = [
    "",
    "   ",
    "返品したいです。まだ読んでいません",
    "進撃の巨人 vol. 3 を return したい",
    "\u200b😀\x00",
    "price? " * 400,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.mark.slow
def test_vectors_are_those_of_sentence_transformers(public_data):
    from sentence_transformers import SentenceTransformer

    with gzip.open(public_data / "banking77" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = [*ODD_TEXTS, *(json.loads(line)["text"] for line in file)][:600]
    peer = SentenceTransformer(source(EMBEDDED), device="cpu")
    encoder = Encoder(device="cpu")
    assert (encoder.dim, encoder.max_length) == (384, peer.max_seq_length)
    expected = peer.encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.embed(texts), expected, rtol=0, atol=1e-5)
    assert encoder.truncated == 1


def test_a_vector_does_not_depend_on_its_batch(folder):
    texts = ["", "abc", "the quick brown", "z", "abc"]
    together = Encoder(str(folder)).embed(texts)
    apart = Encoder(str(folder), batch_tokens=1)
    np.testing.assert_allclose(together, [apart.embed([text])[0] for text in texts], atol=1e-5)
    assert np.abs(together[1] - together[2]).max() > 0.01


def test_a_vector_is_the_mean_of_the_hidden_states(folder):
    import torch

    encoder = Encoder(str(folder), device="cpu")
    ids = torch.tensor([encoder.tokenizer.encode("abc").ids])
    expected = encoder.model(input_ids=ids).last_hidden_state.mean(dim=1).numpy()
    found = encoder.embed(["abc", "abcdefgh"], normalise=False)[:1]
    assert found.shape == (1, DIM)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_texts_are_cut_where_the_positions_end(folder):
    encoder = Encoder(str(folder))
    assert encoder.max_length == CONTEXT
    fits, exceeds = "a" * (CONTEXT - 2), "a" * CONTEXT
    vectors = encoder.embed([fits, exceeds])
    assert encoder.truncated == 1
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_texts_are_cut_where_sentence_transformers_would(tmp_path):
    write_encoder(tmp_path)
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 10}')
    assert Encoder(str(tmp_path)).max_length == 10


@pytest.mark.parametrize(
    ("pooling", "warned"),
    [
        ({"pooling_mode_mean_tokens": True}, False),
        ({"pooling_mode": "mean"}, False),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, True),
        ({"pooling_mode": "cls"}, True),
    ],
)
def test_a_model_that_was_trained_with_other_vectors_is_warned_of(tmp_path, capsys, pooling, warned):
    write_encoder(tmp_path)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    Encoder(str(tmp_path))
    assert ("trained with other vectors" in capsys.readouterr().out) == warned


def test_a_tokenizer_without_padding_is_a_named_error(tmp_path):
    write_encoder(tmp_path, pad_token=None)
    with pytest.raises(UserError, match="no padding token"):
        Encoder(str(tmp_path))


def test_a_damaged_model_is_a_named_error(tmp_path):
    write_encoder(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="can't load the encoder"):
        Encoder(str(tmp_path))


def test_training_is_switched_off(folder):
    model = Encoder(str(folder)).model
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
