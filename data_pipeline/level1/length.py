"""How much is said in a conversation."""

import re
from collections.abc import Sequence

from common.chat.messages import Message
from data_pipeline.level1.compared import CJK

_DOUBLE = re.compile(f"[{CJK}\uac00-\ud7a3]")


def weighted_length(text: str) -> int:
    """Characters of a text, those of Chinese, Japanese and Korean twice: they say about twice as much."""
    return len(text) + (0 if text.isascii() else len(_DOUBLE.findall(text)))


def conversation_length(messages: Sequence[Message]) -> int:
    """The weighted length of what customer and agent say; a prompt and tools' answers don't count."""
    return sum(weighted_length(one["content"]) for one in messages if one["role"] in ("user", "assistant"))
