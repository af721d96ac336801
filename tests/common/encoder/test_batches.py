"""Every text once, in batches of like length, and back in its place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from common.encoder.batches import BatchEmbedder, batches
from tests.common.encoder.small_encoder import write_tokenizer

rows_of_ids = st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=40)


@given(rows_of_ids, st.integers(1, 40))
def test_every_row_is_in_one_batch_padded_on_the_right(rows, batch_tokens):
    seen = {}
    widths = []
    for batch in batches(rows, 0, batch_tokens):
        assert batch.input_ids.shape == batch.attention_mask.shape
        assert batch.input_ids.size <= batch_tokens or len(batch.places) == 1
        widths.append(batch.input_ids.shape[1])
        for place, ids, mask in zip(batch.places, batch.input_ids, batch.attention_mask, strict=True):
            length = mask.sum()
            assert mask[:length].all()
            assert not ids[length:].any()
            assert place not in seen
            seen[place] = ids[:length].tolist()
        assert batch.attention_mask[0].all(), "a batch is no wider than its longest row"
    assert seen == {place: row for place, row in enumerate(rows) if row}
    assert widths == sorted(widths, reverse=True)


class Lengths(BatchEmbedder):
    """The vector of a text is its number of tokens, and one."""

    def __init__(self, tokenizer, batch_tokens=20):
        super().__init__(tokenizer, 0, 2, batch_tokens)

    def _pooled(self, batch):
        lengths = batch.attention_mask.sum(axis=1)
        return np.stack([lengths, np.ones_like(lengths)], axis=1).astype(np.float32)


def test_vectors_stand_in_the_order_of_the_texts(tmp_path):
    texts = ["a" * length for length in (3, 1, 9, 1, 0, 30, 2)]
    vectors = Lengths(write_tokenizer(tmp_path)).embed(texts, normalise=False)
    assert vectors[:, 0].tolist() == [5, 3, 11, 3, 2, 32, 4]  # with [CLS] and [SEP]
    assert vectors.dtype == np.float32


def test_vectors_have_length_one_unless_asked_for_as_they_are(tmp_path):
    embedder = Lengths(write_tokenizer(tmp_path))
    raw, unit = embedder.embed(["abc"], normalise=False), embedder.embed(["abc"])
    np.testing.assert_allclose(unit, raw / np.hypot(5, 1), rtol=1e-6)


def test_no_text_gives_no_vector(tmp_path):
    assert Lengths(write_tokenizer(tmp_path)).embed([]).shape == (0, 2)


def test_a_text_without_any_token_has_zeros(tmp_path):
    tokenizer = write_tokenizer(tmp_path)
    tokenizer.post_processor = None
    assert Lengths(tokenizer).embed(["", "ab"]).tolist()[0] == [0, 0]


def test_truncated_texts_are_counted_over_calls(tmp_path):
    tokenizer = write_tokenizer(tmp_path)
    tokenizer.enable_truncation(6)
    embedder = Lengths(tokenizer)
    assert embedder.embed(["abcd", "abcde", "abcdefghijklmnop"], normalise=False)[:, 0].tolist() == [6, 6, 6]
    assert embedder.truncated == 2
    embedder.embed(["abcde", ""])
    assert embedder.truncated == 3


def test_more_texts_than_are_tokenised_at_once(tmp_path):
    texts = ["a" * (number % 7) for number in range(2500)]
    vectors = Lengths(write_tokenizer(tmp_path)).embed(texts, normalise=False)
    assert vectors[:, 0].tolist() == [number % 7 + 2 for number in range(2500)]
