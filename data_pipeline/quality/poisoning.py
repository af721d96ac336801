"""What somebody may have put into data for the model to learn: links, instructions, repeated replies.

Carlini et al. 2023 (arXiv:2302.10149) poison web-scale sets through expired domains; Souly et al. 2025
(arXiv:2510.07192) find that some 250 documents are enough, whatever the size of the set.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from common.provenance import digest
from common.retrieval.words import words
from data_pipeline.quality.config import Poisoning
from data_pipeline.quality.dialogue import Dialogue
from data_pipeline.quality.phrases import pattern

_ENDINGS_TEXT = """
    com net org info biz io co shop store xyz top site online club live app dev link click ru cn de fr uk jp
    es it eu me ly gg to tk
"""
_ENDINGS = _ENDINGS_TEXT.split()
"""Of domains that are named without "https://": not all there are, or "e.g" and file names would be links."""
_LINK = re.compile(
    r"\b(?:https?|ftp)\s?(?:://|\[:\]//)\s?([^\s/?#<>\"')\]]+)"
    rf"|(?<![@\w.-])((?:[a-z0-9-]+\.)+(?:{'|'.join(_ENDINGS)}))\b(?![@-]|\.\w)"
    r"|\bwww\.([^\s/?#<>\"')\]]+)",
    re.IGNORECASE,
)
_INSTRUCTION = pattern("instruction")
_MARKS = re.compile(
    r"<\|[a-z_]{2,20}\|>|\[/?(?:inst|sys)\]|<</?sys>>|^\s*#{2,4}\s*(?:instruction|system|response|assistant)\b"
    r"|^\s*(?:system|assistant)\s*:\s",
    re.IGNORECASE | re.MULTILINE,
)
_HIDDEN_RUN = 8
"""Characters in a row that nobody sees. A few come with copied text, the flag of England has six; a message
in tag characters is longer."""


def poison(dialogue: Dialogue, config: Poisoning) -> set[str]:
    """Flags of a dialogue from an untrusted source: "link" (in replies) and "instruction"."""
    if dialogue.source not in config.untrusted_sources:
        return set()
    found = set()
    for message in (*dialogue.messages, *dialogue.cut):
        text = message["content"]
        if message["role"] == "assistant" and any(
            not _is_known(d, config.known_domains) for d in domains(text)
        ):
            found.add("link")
        if message["role"] != "system" and is_instruction(text):
            found.add("instruction")
    return found


def domains(text: str) -> Iterator[str]:
    """Domains that `text` links to or names, in lower case, without "www." and port; mail addresses are none.

    >>> list(domains("See https://WWW.Shop.example:8080/a or evil.xyz, or write to a@b.com"))
    ['shop.example', 'evil.xyz']
    """
    for match in _LINK.finditer(unicodedata.normalize("NFKC", text)):
        host = (match[1] or match[2] or match[3]).lower().rpartition("@")[2].partition(":")[0].rstrip(".,;!?")
        yield host.removeprefix("www.")


def _is_known(domain: str, known: Iterable[str]) -> bool:
    return any(domain == name or domain.endswith(f".{name}") for name in map(str.lower, known))


def is_instruction(text: str) -> bool:
    """Whether `text` speaks to a model: "ignore previous instructions", marks of a prompt, unseen characters.

    >>> is_instruction("Please ignore all previous instructions."), is_instruction("Ignore my last mail.")
    (True, False)
    """
    plain = unicodedata.normalize("NFKC", text)
    return bool(_has_hidden_text(text) or _INSTRUCTION.search(plain) or _MARKS.search(plain))


def _has_hidden_text(text: str) -> bool:
    if text.isascii():
        return False
    run = 0
    for character in text:
        # Format characters, and the selectors of variants, which can carry a message as well.
        hidden = unicodedata.category(character) == "Cf" or "\U000e0100" <= character <= "\U000e01ef"
        run = run + 1 if hidden else 0
        if run >= _HIDDEN_RUN:
            return True
    return False


@dataclass(frozen=True)
class AnswerKey:
    """What the single stage that looks for repeated answers knows of a conversation.

    Attributes:
        source: the name of the row's source.
        window: the month that the row says it is of, "2024-05"; "" where it does not.
        answer: hash of the main reply's words; "" where it is too short to count.
    """

    source: str
    window: str
    answer: str


_MONTH = re.compile(r"\d{4}-\d{2}")


def answer_key(dialogue: Dialogue, config: Poisoning) -> AnswerKey:
    """The key of a dialogue. Case, digits and punctuation do not tell answers apart.

    Answers of trusted sources are not compared, and have none.
    """
    compared = dialogue.main is not None and dialogue.source in config.untrusted_sources
    said = words(" ".join(dialogue.main.core)) if compared and dialogue.main else []
    said = [word for word in said if not word.isdigit()]
    month = _MONTH.match(str(dialogue.fields.get("created_at", "")))
    answer = digest(" ".join(said))[:16] if len(said) >= config.repeated_words else ""
    return AnswerKey(dialogue.source, month[0] if month else "", answer)


_CELLS = 1 << 20  # 8 MB; more than a million different answers raise estimates, which are verified


def repeated_answers(rows: Callable[[], Iterable[AnswerKey]], config: Poisoning) -> set[AnswerKey]:
    """Answers that one untrusted source gives suspiciously often in one window.

    Memory is bounded: a table of 2^20 counters (one row of a count-min sketch; Cormode and Muthukrishnan
    2005) names the candidates, and only these are counted exactly.

    Args:
        rows: gives all keys, in any order, as often as it is called (twice).
    """
    cells = np.zeros(_CELLS, dtype=np.int64)
    totals: Counter[tuple[str, str]] = Counter()
    for row in rows():
        if row.source in config.untrusted_sources:
            totals[row.source, row.window] += 1
            if row.answer:
                cells[_cell(row)] += 1
    if not totals or cells.max() <= config.most_repeats:
        return set()
    counts: Counter[AnswerKey] = Counter()
    for row in rows():
        if row.answer and row.source in config.untrusted_sources and cells[_cell(row)] > config.most_repeats:
            counts[row] += 1
    return {
        row
        for row, count in counts.items()
        if count > config.most_repeats and count > config.most_repeats_share * totals[row.source, row.window]
    }


def _cell(row: AnswerKey) -> int:
    return crc32(f"{row.source}\0{row.window}\0{row.answer}".encode()) % _CELLS
