"""Check 1: a whole conversation of the right length, in the language that was asked for."""

import re
from collections.abc import Sequence

from common.chat import Message, Role
from data_pipeline.level1.language import LanguageDetector, said
from data_pipeline.level1.length import conversation_length, weighted_length
from data_pipeline.quality.poisoning import is_instruction
from data_pipeline.quality.sentences import sentences
from data_pipeline.synthetic.config import Checks

_MIN_CHARACTERS = 50
"""What Level 1 of a build asks for, too."""
_ENDS = re.compile(r"""[.!?…。！？)\]"'”’」』*:;]\W*$|\.\S{2,}$""")
# The model speaks of its task, of the prompt or of itself, or declines: no customer or agent would say so.
_ABOUT_THE_TASK = re.compile(
    r"""(?imx)
      \bas\ an?\ (?:AI|(?:large\ )?language\ model)\b
    | \b(?:knowledge\ base|passages?)\ (?:says?|states?|mentions?|provided?|do(?:es)?)\b
    | \bmy\ (?:(?:safety|usage)\ )?(?:guidelines|training\ data|instructions|content\ policy)\b
    | \b(?:content\ policy|training\ set|usage\ guidelines|system\ prompt)\b
    | \bI\ (?:can\s?not|can't|won't|am\ unable\ to|must\ decline\ to|don't\ feel\ comfortable)\ (?:\w+\ )?
      (?:fulfil\w*|generat\w+|creat\w+|role-?play\w*|writ\w+|produc\w+)\ (?:this|that|it|content|such|a)\b
    | \b(?:here(?:'s|\ is|\ are)|below\ (?:is|are)|the\ following\ (?:is|are))\ (?:an?|the|my|some|\w+)\b
      [\w\ ,-]{0,30}\b(?:version|examples?|variations?|conversations?|dialogues?|messages?|tickets?)\b
    | \bas\ (?:you\ )?(?:requested|instructed)\b | \bthe\ user\ (?:wants|asks|is\ asking)\b
    | ^\W*(?:role|user|assistant|agent|customer|note|variation)\b[^:.!?\n]{0,60}:
    | \byou\ are\ an?\ (?:helpful|friendly)\ (?:\w+\ )?assistant\b
    """
)
_REPEATED_WORDS = 4
_ROLES: tuple[Role, ...] = ("user", "assistant")


def form_fault(
    messages: Sequence[Message], language: str, spoken: LanguageDetector, checks: Checks
) -> str | None:
    """The reason why a conversation is not as it was asked for; None if it is.

    Reasons: too_many_messages, too_long, too_short, cut, repeats_itself, speaks_of_the_task, wrong_language.
    """
    contents = [message["content"] for message in messages]
    if len(messages) > checks.max_messages:
        return "too_many_messages"
    if any(weighted_length(content) > checks.max_characters for content in contents):
        return "too_long"
    if conversation_length(messages) <= _MIN_CHARACTERS:
        return "too_short"
    if any(not _ENDS.search(message["content"]) for message in messages if message["role"] == "assistant"):
        return "cut"
    if any(_repeats(content) for content in contents):
        return "repeats_itself"
    if any(is_instruction(content) or _ABOUT_THE_TASK.search(content) for content in contents):
        return "speaks_of_the_task"
    for role in _ROLES:
        found = spoken.detect(said(messages, role)).language
        if found is not None and found.split("-")[0] != language:  # "ja-en" is Japanese with titles in it
            return "wrong_language"
    return None


def _repeats(content: str) -> bool:
    """A sentence that stands there twice."""
    seen = [sentence for sentence in sentences(content) if len(sentence.split()) >= _REPEATED_WORDS]
    return len(set(seen)) < len(seen)
