"""What of a conversation is compared when repetitions are looked for."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from common.chat.messages import Message
from data_pipeline.pii.placeholders import ANY_PLACEHOLDER

CJK = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
"""Kana and ideographs, as the inside of a character class: no spaces divide their words."""

# "#123", or a word with five digits: an order, a parcel or a phone. Shorter numbers are volumes and prices.
_IDENTIFIER = r"#\s?\d{3,}|\b(?=[\w-]{0,20}?\d(?:[A-Za-z-]?\d){4})[\w-]+"
_UNCOMPARED = re.compile(f"{ANY_PLACEHOLDER}|{_IDENTIFIER}")
_MAY_HOLD_ONE = re.compile(r"[\d\[]")
_GAP = re.compile(r"[\W_]+")
_CJK_CHARACTER = re.compile(f"[{CJK}]")
# "can't" is one word, and many write "cant".
_ASCII_GAPS = {code: " " for code in range(128) if not chr(code).isalnum()} | {ord("'"): ""}


class Compared(NamedTuple):
    """What the customer says and what the agent says, each in one line of words."""

    user: str
    assistant: str


def compared(messages: Sequence[Message]) -> Compared:
    """The turns of user and assistant, as `squeeze` leaves them; a prompt and tools' answers don't count."""
    turns: dict[str, list[str]] = {"user": [], "assistant": []}
    for message in messages:
        if message["role"] in turns:
            turns[message["role"]].append(message["content"])
    return Compared(squeeze("\n".join(turns["user"])), squeeze("\n".join(turns["assistant"])))


def squeeze(text: str) -> str:
    """Lower-case words, one space between them, without placeholders such as [NAME] and without identifiers.

    A text that has nothing else in it, an emoji or a placeholder, stays as it is.
    """
    words = _UNCOMPARED.sub(" ", text) if _MAY_HOLD_ONE.search(text) else text
    words = words.lower()
    # The same either way; most texts are ASCII, and this takes a tenth of the time.
    words = words.translate(_ASCII_GAPS) if words.isascii() else _GAP.sub(" ", words.replace("'", ""))
    return " ".join(words.split()) or " ".join(text.lower().split())


def stretched(squeezed: str) -> str:
    """The text with every kana and ideograph twice, so that its 5-grams span as much of what is said."""
    return squeezed if squeezed.isascii() else _CJK_CHARACTER.sub(r"\g<0>\g<0>", squeezed)
