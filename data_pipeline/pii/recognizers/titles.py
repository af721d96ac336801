"""Titles and honorifics, and the names they stand beside."""

import re
from collections.abc import Iterator

from data_pipeline.pii import words
from data_pipeline.pii.recognizers.base import STRONG, Recognizer, holds_any
from data_pipeline.pii.recognizers.name_words import TITLE, name_end
from data_pipeline.pii.spans import Span

_HINTS = (
    "mr", "ms ", "ms.", "mx", "dr", "prof", "sir ", "herr ", "frau ", "mons", "mad", "mme", "mlle", "señ",
    "sr.", "sra", "sign", "sig.", "rev", "capt", "sgt", "doctor", "miss ",
)  # fmt: skip
_KANJI, _KATAKANA = "一-龯々", "ァ-ヶー"
_JAPANESE = re.compile(
    rf"(?<![{_KANJI}{_KATAKANA}])((?:[{_KANJI}]{{1,4}}|[{_KATAKANA}]{{2,12}})"
    rf"(?:[ 　・]?(?:[{_KANJI}]{{1,3}}|[{_KATAKANA}]{{2,12}}))?)"
    rf"(?<![同仕模多異一有])[ 　]?(?:様|さん|さま|氏|ちゃん)(?![{_KANJI}])"
)
_LATIN = re.compile(
    r"(?<![\w@.])([^\W\d_一-龯ぁ-ヶ]{2,24})(?:-(?:san|sama|chan|kun|sensei)(?!\w)| ?(?:さん|様|さま))"
)
_CLAUSE_END = re.compile(r"[.,!?;:)\n]|$")
_LATIN_HINTS = re.compile(r"-(?:sa|chan|kun|sen)")


class TitleRecognizer(Recognizer):
    """Titles such as "Mr." and the names after them; the names before さん, 様 or -san, which stay."""

    entity_types = ("TITLE", "PERSON")

    def find(self, text: str) -> Iterator[Span]:
        for match in TITLE.finditer(text) if holds_any(text.lower(), _HINTS) else ():
            title = match[0].rstrip()
            if title.islower() and not title.endswith("."):
                continue  # "i miss you"
            end = name_end(text, match.end(), 3, lower_case=title.endswith("."))
            if end is None:
                continue
            if text[match.end()].islower() and not _CLAUSE_END.match(text, end):
                end = name_end(text, match.end(), 1, lower_case=True) or end  # "mr. smith called"
            yield Span(match.start(), match.start() + len(title), "TITLE", STRONG)
            yield Span(match.end(), end, "PERSON", STRONG)
        patterns = (
            (_JAPANESE, _LATIN) if not text.isascii() else (_LATIN,) if _LATIN_HINTS.search(text) else ()
        )
        for pattern in patterns:
            for match in pattern.finditer(text):
                if match[1].casefold() not in words.folded("not_names"):
                    yield Span(match.start(1), match.end(1), "PERSON", STRONG)
