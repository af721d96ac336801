"""Quoted mails: what a mail program repeats below, or above, an answer.

Nothing is removed on a guess. Lines behind `>` go where a line that only programs write introduces them, or
where an earlier message of the conversation says the same; so a customer's own list with `>` before its items
stays.
"""

import re
from typing import Literal

_Kind = Literal["program", "wrote", "dated", "header"]
"""What introduces a quotation: a line that only programs write; one that a person may write ("On Monday, Mia
wrote:"); any line with a day; From, Sent and Subject, which may be copied from another mail."""

_FEWEST = 10
"""Letters of a line that is looked for in earlier messages; shorter ones are everywhere."""
_MOST_LINES = 400
"""Lines of a message that are looked for."""

_ORIGINAL = re.compile(
    r"-{2,} ?(?:original message|original-nachricht|ursprüngliche nachricht|message d'origine"
    r"|mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht|元のメッセージ) ?-{2,}",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(?:on\b.* wrote|am\b.* schrieb\b.*|le\b.* a écrit|el\b.* escribió|il\b.* ha scritto|em\b.* escreveu"
    r"|(?=\d{4}).*(?:さんは書きました|のメール)) ?[:：]",
    re.IGNORECASE,
)
_DAY = (
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b|\b(?:mo|di|mi|do|fr|sa|so)\.?,"
    r"|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[-/年]"
)
_DATED = re.compile(rf"\b(?:{_DAY})", re.IGNORECASE)
_BY_PROGRAM = re.compile(r"\d{1,2}[:.]\d{2}\b|\b(?:19|20)\d{2}\b|<?[\w.+-]+@[\w-]+\.[\w.]+>?")
"""A time, a year, an address: nobody types these to introduce a quotation."""
_HEADER = re.compile(
    r"\*?(?:(?P<from>from|von|de|da|差出人)|sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet"
    r"|enviado|para|asunto|inviato|a|oggetto|assunto|送信日時|日時|宛先|件名)\*? ?[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"_{10,}")
_MAYBE = re.compile(r"^>|[:：]$|^-{2,} ?\w|^_{10,}$", re.MULTILINE)
_NO_LETTERS = re.compile(r"[\W_]+")


def squash(text: str) -> str:
    """Letters and digits alone, so that neither `>` nor where lines break tells two texts apart."""
    return _NO_LETTERS.sub("", text).casefold()


def may_quote(text: str) -> bool:
    """False where `without_quotes` would change nothing; cheap."""
    return _MAYBE.search(text) is not None


def without_quotes(text: str, earlier: str) -> tuple[str, int]:
    """The text without quoted mails, and how many there were. `earlier`: what was said before, squashed.

    Text that is nothing but a quotation stays as it is.
    """
    lines = text.split("\n")
    kept: list[str] = []
    removed = at = 0
    while at < len(lines):
        end = _quote_end(lines, at, earlier, bool("".join(kept).strip()))
        if end is None:
            end = max(at + 1, _marked_end(lines, at))  # a run of lines with `>` stays or goes as a whole
            kept += lines[at:end]
        else:
            removed += 1
        at = end
    rest = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")
    return (rest, removed) if removed and rest.strip() else (text, 0)


def _quote_end(lines: list[str], at: int, earlier: str, has_text_before: bool) -> int | None:
    """The line behind a quotation that begins at a line; None when none does."""
    if lines[at].startswith(">"):
        end = _marked_end(lines, at)
        return end if _was_said(lines[at:end], earlier) else None
    found = _introduction(lines, at)
    if found is None:
        return None
    body, kind = found
    while body < len(lines) and not lines[body].strip():
        body += 1
    if body == len(lines):
        return body if kind == "program" else None
    if lines[body].startswith(">"):
        end = _marked_end(lines, body)
        return end if kind in ("program", "wrote") or _was_said(lines[body:end], earlier) else None
    if kind not in ("program", "header"):
        return None
    last = min(len(lines), body + _MOST_LINES)
    said = [index for index in range(body, last) if _was_said(lines[index : index + 1], earlier)]
    if said:
        return said[-1] + 1  # what stands below it may be an answer to it
    return len(lines) if kind == "program" and has_text_before else None


def _introduction(lines: list[str], at: int) -> tuple[int, _Kind] | None:
    """The line behind what introduces a quotation, and who writes such lines."""
    line = lines[at].strip()
    if _ORIGINAL.fullmatch(line):
        return _headers_end(lines, at + 1), "program"
    if _RULE.fullmatch(line):
        end = _headers_end(lines, at + 1)
        return (end, "program") if end >= at + 4 else None
    if (end := _headers_end(lines, at)) >= at + 3:
        return end, "header"
    if kind := _written(line):
        return at + 1, kind
    if line and at + 1 < len(lines) and _written(lines[at + 1].strip()) is None:
        kind = _written(f"{line} {lines[at + 1].strip()}")  # programs break long lines
        return (at + 2, kind) if kind in ("program", "wrote") else None
    return None


def _written(line: str) -> _Kind | None:
    if len(line) > 200 or not line.endswith((":", "：")):
        return None
    by_program = _BY_PROGRAM.search(line)
    if _WROTE.fullmatch(line) and (by_program or _DATED.search(line)):
        return "program" if by_program else "wrote"
    return "dated" if len(line) <= 100 and _DATED.match(line) else None


def _headers_end(lines: list[str], at: int) -> int:
    """The line behind From, Sent, To and Subject; `at` when the first of them is not there."""
    match = _HEADER.match(lines[at]) if at < len(lines) else None
    if match is None or not match["from"]:
        return at
    end = at + 1
    while end < len(lines) and end < at + 7 and lines[end].strip() and _HEADER.match(lines[end]):
        end += 1
    return end


def _marked_end(lines: list[str], at: int) -> int:
    """The line behind a run of lines with `>`; blank ones between them belong to it."""
    end = at
    for index in range(at, len(lines)):
        if lines[index].startswith(">"):
            end = index + 1
        elif lines[index].strip():
            break
    return end


def _was_said(lines: list[str], earlier: str) -> bool:
    """An earlier message has these lines, or most of them: programs leave out what is long."""
    whole = squash("".join(lines))
    if len(whole) < _FEWEST or not earlier:
        return False
    if whole in earlier:
        return True
    parts = [squash(line) for line in lines[:_MOST_LINES]]
    found = sum(len(part) for part in parts if len(part) >= _FEWEST and part in earlier)
    return len(lines) > 1 and found >= 0.8 * len(whole)
