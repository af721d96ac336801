"""The part of a conversation that tells what it is about: what its vector is made from."""

from collections.abc import Sequence

from common.chat.messages import Message

_CHARACTERS = 300  # of each side: topics and duplicates are found as well as with all, in half of the time
_ANSWERS = 2  # the first may only greet


def gist(messages: Sequence[Message]) -> str:
    """The beginning of the customer's first message and of the longer of the first two answers.

    >>> gist([{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "In Malta."}])
    'Where is it?\\nIn Malta.'
    """
    said = [message["content"] for message in messages if message["role"] == "user"]
    answers = [message["content"] for message in messages if message["role"] == "assistant"]
    answer = max(answers[:_ANSWERS], key=len, default="")
    return "\n".join(text[:_CHARACTERS] for text in (*said[:1], answer) if text)
