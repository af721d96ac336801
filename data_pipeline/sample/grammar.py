"""Templates with slots and alternatives: `"{Hi|Hello} {first_name}, volume {volume} is {in stock|back}"`.

`{a|b|c}` takes one alternative; an alternative may be empty and may hold braces of its own. `{name}` without
a bar is a slot that the caller fills. A backslash followed by `n` is a line break.

Text is kept as a list of `Piece`s until a ticket is written, so that a planted name or address keeps its
exact place whatever happens to the words around it.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Piece(NamedTuple):
    """A stretch of text; `kind` names the sort of personal data in it (`email`, `phone`, …) or is None."""

    text: str
    kind: str | None = None


@dataclass(frozen=True)
class Slot:
    name: str


@dataclass(frozen=True)
class Choice:
    options: tuple["Template", ...]


@dataclass(frozen=True)
class Template:
    """A parsed line: literal text, slots and choices in order; `feelings` is what the line expresses."""

    parts: tuple[str | Slot | Choice, ...]
    feelings: tuple[str, ...] = ()


_TOKEN = re.compile(r"[{}|]|[^{}|]+")
_SENTENCE_ENDS = (".", "!", "?", ")", "。", "！", "？")
_SLOT_NAME = re.compile(r"[a-z_][a-z0-9_.]*")
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def parse(text: str) -> Template:
    """Parse one template.

    Raises:
        ValueError: an unbalanced brace, or braces around what is neither a slot name nor alternatives.
    """
    tokens = _TOKEN.findall(text.replace("\\n", "\n"))
    template, end = _parse_sequence(tokens, 0, text, inside=False)
    if end < len(tokens):
        raise ValueError(f"a closing brace without an opening one in {text!r}")
    return template


def _parse_sequence(tokens: list[str], at: int, text: str, inside: bool) -> tuple[Template, int]:
    parts: list[str | Slot | Choice] = []
    while at < len(tokens):
        token = tokens[at]
        if token == "}" or (token == "|" and inside):
            break
        if token == "{":
            part, at = _parse_braces(tokens, at + 1, text)
            parts.append(part)
        else:  # literal text; a bar outside braces is literal too (Markdown tables)
            parts.append(token)
            at += 1
    return Template(tuple(parts)), at


def _parse_braces(tokens: list[str], at: int, text: str) -> tuple[Slot | Choice, int]:
    options = []
    while True:
        option, at = _parse_sequence(tokens, at, text, inside=True)
        options.append(option)
        if at == len(tokens):
            raise ValueError(f"an opening brace without a closing one in {text!r}")
        if tokens[at] == "}":
            break
        at += 1
    if len(options) > 1:
        return Choice(tuple(options)), at + 1
    name = "".join(part for part in options[0].parts if isinstance(part, str))
    if len(options[0].parts) != 1 or not _SLOT_NAME.fullmatch(name):
        raise ValueError(f"{{{name}}} is neither a slot name nor a choice such as {{a|b}} in {text!r}")
    return Slot(name), at + 1


def expand(template: Template, rng: random.Random, fill: Callable[[str], Iterable[Piece]]) -> list[Piece]:
    """Take one alternative of every choice and put `fill(name)` in place of every slot."""
    pieces: list[Piece] = []
    for part in template.parts:
        if isinstance(part, str):
            pieces.append(Piece(part))
        elif isinstance(part, Slot):
            pieces.extend(fill(part.name))
        else:
            pieces.extend(expand(rng.choice(part.options), rng, fill))
    return pieces


def walk(template: Template) -> Iterator[str | Slot]:
    """Every literal and every slot of a template, those of all alternatives included."""
    for part in template.parts:
        if isinstance(part, Choice):
            for option in part.options:
                yield from walk(option)
        else:
            yield part


def slot_names(template: Template) -> set[str]:
    return {part.name for part in walk(template) if isinstance(part, Slot)}


def has_japanese(text: str) -> bool:
    """Whether there are kana or kanji in a text."""
    return _JAPANESE.search(text) is not None


def plain(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def join(parts: Iterable[list[Piece]], close: bool = False) -> list[Piece]:
    """Join sentences with spaces; empty parts are left out, and a part behind a full stop gets a capital.

    `close` puts a full stop behind a part that has none, unless it is the last.
    """
    pieces: list[Piece] = []
    for part in filter(None, map(tidy, parts)):
        if close and pieces and pieces[-1].text[-1].isalnum():
            pieces.append(Piece("."))
        if part[0].kind is None and (not pieces or pieces[-1].text.endswith(_SENTENCE_ENDS)):
            text = part[0].text
            part[0] = Piece(text[:1].upper() + text[1:])
        pieces += [Piece(" "), *part] if pieces else part
    return pieces


def cut(pieces: Iterable[Piece], length: int) -> list[Piece]:
    """The first `length` characters; what is cut of a name or number is still one."""
    kept: list[Piece] = []
    for piece in pieces:
        if length > 0:
            kept.append(Piece(piece.text[:length], piece.kind))
        length -= len(piece.text)
    return kept


def tidy(pieces: Iterable[Piece]) -> list[Piece]:
    """Merge neighbouring plain pieces, squeeze the spaces that empty alternatives leave, strip the ends."""
    merged: list[Piece] = []
    for piece in pieces:
        if merged and piece.kind is None and merged[-1].kind is None:
            merged[-1] = Piece(merged[-1].text + piece.text)
        elif piece.text:
            merged.append(piece)
    tidied = [
        piece if piece.kind else Piece(re.sub(r" +([,.!?\n])|( ) +", r"\1\2", piece.text)) for piece in merged
    ]
    if tidied and tidied[0].kind is None:
        tidied[0] = Piece(tidied[0].text.lstrip())
    if tidied and tidied[-1].kind is None:
        tidied[-1] = Piece(tidied[-1].text.rstrip())
    return [piece for piece in tidied if piece.text]
