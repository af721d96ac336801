"""The cache's keys tell apart whatever decides a reply; its files are whole or not there."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.generation import Reply, Sampling
from common.generation.cache import ReplyCache, cache_key

URL, MODEL, MESSAGES = "http://localhost/v1", "support", [{"role": "user", "content": "Hello"}]
KEY = cache_key(URL, MODEL, MESSAGES, Sampling())
REPLY = Reply("返金します。", 5, 4, "stop")


@pytest.mark.parametrize(
    "asked",
    [
        ("http://other/v1", MODEL, MESSAGES, Sampling()),
        (URL, "other", MESSAGES, Sampling()),
        (URL, MODEL, [{"role": "user", "content": "Hello!"}], Sampling()),
        (URL, MODEL, [{"role": "system", "content": "Be kind"}, *MESSAGES], Sampling()),
        (URL, MODEL, MESSAGES, Sampling(max_new_tokens=1)),
        (URL, MODEL, MESSAGES, Sampling(top_p=0.5)),
        (URL, MODEL, MESSAGES, Sampling(seed=1)),
        (URL, MODEL, MESSAGES, Sampling(stop=("x",))),
        (URL, MODEL, MESSAGES, Sampling(temperature=1.0, seed=1)),
        (URL, MODEL, MESSAGES, Sampling(), {"type": "object"}),
    ],
)
def test_anything_that_decides_a_reply_changes_the_key(asked):
    assert cache_key(*asked) not in (KEY, None)


def test_the_same_question_has_the_same_key():
    messages = [{"content": "Hello", "role": "user"}]
    assert cache_key(f"{URL}/", MODEL, messages, Sampling()) == KEY


def test_a_schema_with_its_keys_in_another_order_asks_for_another_reply():
    one, other = ({"properties": {name: {"type": "string"} for name in names}} for names in ("ab", "ba"))
    assert cache_key(URL, MODEL, MESSAGES, Sampling(), one) != cache_key(
        URL, MODEL, MESSAGES, Sampling(), other
    )


def test_a_draw_without_a_seed_has_no_key():
    assert cache_key(URL, MODEL, MESSAGES, Sampling(temperature=0.7)) is None


def test_failed_replies_are_not_kept(tmp_path: Path):
    cache = ReplyCache(tmp_path)
    cache.put(KEY, Reply.failed("timeout"))
    assert cache.get(KEY) is None
    assert not any(tmp_path.rglob("*.json"))


@given(text=st.text(st.characters(exclude_categories=["Cs"])), tokens=st.integers(0, 9))
def test_a_reply_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, text, tokens):
    cache = ReplyCache(tmp_path_factory.mktemp("cache"))
    cache.put(KEY, Reply(text, tokens, tokens, "length"))
    assert cache.get(KEY) == Reply(text, tokens, tokens, "length")


@pytest.mark.parametrize("damaged", [b"", b'{"text": "a', b"[]", b'{"text": "a"}', b"\xff\xfe"])
def test_a_damaged_file_is_asked_for_again(tmp_path: Path, damaged):
    cache = ReplyCache(tmp_path)
    cache.put(KEY, REPLY)
    [file] = tmp_path.rglob("*.json")
    file.write_bytes(damaged)
    assert cache.get(KEY) is None
    cache.put(KEY, REPLY)
    assert cache.get(KEY) == REPLY
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".json"]


def test_prompts_are_not_written(tmp_path: Path):
    ReplyCache(tmp_path).put(KEY, REPLY)
    [file] = tmp_path.rglob("*.json")
    assert "Hello" not in file.read_text(encoding="utf-8")
