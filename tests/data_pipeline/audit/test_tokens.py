from pathlib import Path

import pytest

from common.chat import FAMILIES, FamilyName, load_tokenizer, render_conversations
from data_pipeline.audit.tokens import TokenCounter
from tests.common.chat.small_tokenizers import write_tokenizer

SHORT = [{"role": "user", "content": "Is it in?"}, {"role": "assistant", "content": "Yes."}]
LONG = [
    *SHORT,
    {"role": "user", "content": "Thanks a lot"},
    {"role": "assistant", "content": "You're welcome!"},
]


@pytest.mark.parametrize("family", ["tiny", "qwen2.5", "mistral-v0.3"])
def test_counts_are_those_of_training(tmp_path: Path, family: FamilyName) -> None:
    """Some families make several examples of a conversation: its length is that of the longest."""
    write_tokenizer(tmp_path / "tokenizer", family)
    counter = TokenCounter(str(tmp_path / "tokenizer"), family)
    tokenizer = load_tokenizer(tmp_path / "tokenizer", FAMILIES[family])
    rendered = render_conversations(tokenizer, FAMILIES[family], [SHORT, LONG])
    expected = [max(len(example.input_ids) for example in examples) for examples in rendered]
    assert counter.count([SHORT, LONG]) == expected
    assert expected[0] < expected[1]
    assert counter.count([]) == []
