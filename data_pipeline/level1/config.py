"""What Level 1 can be told."""

from typing import Annotated

from pydantic import AfterValidator, Field

from common.config import Config

_CODES = """
    af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka kk ko
    la lt lv mk mn mr ms nl nn no pa pl pt ro ru sk sl so sq sr sv sw ta te th tl tr uk ur vi yo zh
"""
LANGUAGES = frozenset(_CODES.split())
"""Codes of ISO 639-1 that both detectors know."""


def _known(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"'{code}' is no language that can be told: one of {', '.join(sorted(LANGUAGES))}")
    return code


LanguageCode = Annotated[str, AfterValidator(_known)]


class Languages(Config):
    """Which languages are kept."""

    # Two languages in one conversation, Japanese and English say, are kept when both are allowed.
    allowed: tuple[LanguageCode, ...] = Field(("en", "ja"), min_length=1)
    # What else customers may write. A text of less than five words is taken for one of these or of the
    # allowed ones; each costs a process 30 MB once such a text is met. Longer texts may be in any language.
    expected: tuple[LanguageCode, ...] = ("de", "es", "fr", "it", "ko", "nl", "pt", "zh")
    # Conversations in which the customer writes no word: numbers, an emoji, a placeholder.
    keep_wordless: bool = True


class NearDuplicates(Config):
    """When two texts count as nearly the same; conversations do when both their sides are."""

    # Least share of the character 5-grams of both texts that is in each of them.
    similarity: float = Field(0.4, ge=0.2, le=1)
    # Largest share of the words that may differ; one word always may.
    changed_words: float = Field(0.2, ge=0, le=1)


class Level1(Config):
    """What a conversation must be like, whatever is in it."""

    # Customer and agent must say more than this; Chinese, Japanese and Korean characters count double.
    min_characters: int = Field(50, ge=0)
    languages: Languages = Languages()
    near_duplicates: NearDuplicates = NearDuplicates()
