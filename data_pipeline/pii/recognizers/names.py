"""Names by what stands around them: salutations, closings, forms, introductions.

These places hold a name whatever it looks like, so that names which the model has never seen are found too.
"""

import re
from collections.abc import Iterator

from data_pipeline.pii.recognizers.base import STRONG, Recognizer, holds_any
from data_pipeline.pii.recognizers.name_words import TITLE, name_end
from data_pipeline.pii.spans import Span

_BEGIN = re.compile(r"\A[>\s]{0,8}|\n[>\s]{0,8}|(?<=[.!?>,]) {1,3}")
_GREETING = re.compile(
    r"(?:hi|hiya|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|bonjour|hallo|hola|ciao|"
    r"sehr geehrte[r]?|liebe[r]?|cher|chère|estimad[oa]|"
    r"(?P<weak>welcome(?: back)?|thanks|thank you|thx|sorry|ok(?:ay)?))[ ,]{1,2}(?=[^\W\d_])",
    re.IGNORECASE,
)
_GREETING_END = re.compile(r" ?(?:[,.!?;:\n)]|$|[-–—|] )")
_OPENING_END = re.compile(r",\n")
_FORM = re.compile(
    r"[^\w\n]{0,6}(?:(?:full|first|last|given|family|sur|customer|contact|account)[ -]?)?"
    r"(?:name|customer|contact|attn|recipient|c/o|nom|nombre) ?[:：] ?(?=[^\W\d_])",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:(?:kind|best|warm(?:est)?|many)? ?(?:regards|wishes|thanks)|best|cheers|warmly|"
    r"thanks(?: in advance| again| so much| a lot)?|thank you(?: in advance| again| so much)?|thx|sincerely|"
    r"yours(?: sincerely| faithfully| truly)?|respectfully|cordially|love|greetings|take care|with love|xoxo|"
    r"mit freundlichen grüßen|viele grüße|cordialement|saludos|よろしくお願い(?:いた)?します|--|—|–|-)"
    r"[,.!。 ~:)]{0,4}\n[>\s]{0,8}(?=[^\W\d_])",
    re.IGNORECASE,
)
_LINE_END = re.compile(r"[ ,.!]{0,3}(?:\n|$|[|(<])")
_HERE = re.compile(r" here(?=[.,!]| and )| speaking(?=[.,!])")

_NAME_HINTS = ("name", " me ", "called", "goes by", "known as", "truly", "igned by", "dressed to", " under ")
_RELATIVES = r"(?:partner|wife|husband|mother|father|son|daughter|friend|sister|brother|mum|mom|dad)(?:'|’)s"
_MY_NAME = re.compile(
    rf"(?<![\w-])(?:(?:(?:my|her|his|their|our)(?: (?:full|first|last|real|maiden|middle|"
    rf"family))?|{_RELATIVES}) ?(?:sur)?name"
    r"(?:'s|’s| is|:| was|,)?|(?:full|first|last) name(?: is|:)|calls? me|(?:i am|i'm|i’m) called|"
    r"(?:in|on|under|by) the name(?: of)?|what(?:'|’)s your name\?) (?=[^\W\d_])",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"(?<![\w-])(?:(?<!its )name(?:'s|’s| is)|named (?:him|her)|nickname is|goes by|known as|yours truly,|"
    r"signed by|"
    r"addressed to) (?=[^\W\d_])",
    re.IGNORECASE,
)
_UNDER = re.compile(r"(?<![\w-])(?:under|(?<=[,;] )name) (?=[^\W\d_])")
_CLAUSE_END = re.compile(r" ?(?:[,.!?;:\n)]|$|[-–—|] |(?:and|but) )")
_SPEAKING = re.compile(r"(?<!\w)(?:this is|it(?:'|’)s|i(?:'|’)m|i am) (?=[^\W\d_])", re.IGNORECASE)
_SPEAKING_END = re.compile(r",? (?:from|here|speaking|writing|calling|at|with|again)(?!\w)")
_GREETED = re.compile(r"(?i)(?:^|[\n.!>] ?)(?:hi|hello|hey|dear|good \w+)[^.!?\n]{0,30}, $")
_WROTE = re.compile(r"(?<!\w)(?:on|am|le) [^\n,]{3,60}, (?:at [\d:]{4,8},? )?(?=[^\W\d_])", re.IGNORECASE)
_WROTE_END = re.compile(r" (?:wrote|schrieb|a écrit)(?!\w)")
_KIND_WORDS = re.compile(
    r"(?:welcome|pleasure|any ?time|no problem(?: at all)?|no worries|to help|glad i could help|reading|"
    r"got it|"
    r"(?:good|lovely|great|nice) (?:day|evening|night|weekend|morning)|thank you|thanks|sorry|bye|see you|"
    r"you), (?=[^\W\d_])",
    re.IGNORECASE,
)
_KIND_WORDS_END = re.compile(r"[.!?\n]|$|, (?=have|we|i |your|it|that)")
_HANDLE = re.compile(r"(?<![\w@./])@[A-Za-z][\w.]{2,30}(?<![.])(?![\w@])")


class NameRecognizer(Recognizer):
    """Up to four words after "Dear", "my name is", "Regards," and the like, if a name may end there."""

    entity_types = ("PERSON",)

    def find(self, text: str) -> Iterator[Span]:
        lower = text.lower()
        found = set(_at_beginnings(text))
        if holds_any(lower, _NAME_HINTS):
            found.update(_called(text))
        if " is " in lower or "'m " in lower or "'s " in lower or " am " in lower or "’" in lower:
            found.update(_speaking(text))
        if ", " in text:
            for match in _KIND_WORDS.finditer(text):
                found.update(_name(text, match.end(), 2, _KIND_WORDS_END, lower_case=False))
        if "wrote" in lower or "schrieb" in lower or "écrit" in lower:
            for match in _WROTE.finditer(text):
                found.update(_name(text, match.end(), 4, _WROTE_END))
        if "@" in text:
            found.update(match.span() for match in _HANDLE.finditer(text))
        for start, end in sorted(found):
            yield Span(start, end, "PERSON", STRONG)


def _at_beginnings(text: str) -> Iterator[tuple[int, int]]:
    """Names at the beginning of a line or clause: greetings, forms, and lines after a closing."""
    lines, forms, here = "\n" in text, ":" in text or "：" in text, " here" in text or " speaking" in text
    for begin in _BEGIN.finditer(text):
        start = begin.end()
        if match := _GREETING.match(text, start):
            yield from _name(text, match.end(), 3, _GREETING_END, lower_case=not match["weak"])
        if forms and (match := _FORM.match(text, start)):
            yield from _name(text, match.end(), 4, _LINE_END)
        if lines and (match := _CLOSING.match(text, start)):
            yield from _name(text, match.end(), 3, _LINE_END)
        if here and _GREETED.search(text[max(0, start - 48) : start]):
            yield from _name(text, start, 2, _HERE, lower_case=False)
    yield from _name(text, 0, 1, _OPENING_END, lower_case=False)


def _called(text: str) -> Iterator[tuple[int, int]]:
    for match in _MY_NAME.finditer(text):
        # Words in lower case must fill the clause, or "my name is wrong on it" would be a name.
        yield from _name(text, match.end(), 4, None if text[match.end()].isupper() else _CLAUSE_END)
    for match in _CALLED.finditer(text):
        yield from _name(text, match.end(), 4, None, lower_case=False)
    for match in _UNDER.finditer(text):
        for start, end in _name(text, match.end(), 3, _CLAUSE_END, lower_case=False):
            if " " in text[start:end]:
                yield start, end


def _speaking(text: str) -> Iterator[tuple[int, int]]:
    for match in _SPEAKING.finditer(text):
        before = text[max(0, match.start() - 48) : match.start()]
        yield from _name(text, match.end(), 3, _SPEAKING_END, lower_case=False)
        if _GREETED.search(before):
            yield from _name(text, match.end(), 3, _GREETING_END, lower_case=False)


def _name(
    text: str, start: int, most: int, ending: re.Pattern[str] | None, lower_case: bool = True
) -> Iterator[tuple[int, int]]:
    """The name that begins at `start`, perhaps after a title, if there is one and `ending` follows."""
    title = TITLE.match(text, start)
    start = title.end() if title else start
    end = name_end(text, start, most, lower_case)
    if end is not None and (ending is None or ending.match(text, end)):
        yield start, end
