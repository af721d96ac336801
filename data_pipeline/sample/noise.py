"""What real exports do to text: typing mistakes, shouting, HTML, entities, odd Unicode.

Pieces that hold personal data keep their characters (HTML escapes aside): the planted truth stays exact.
"""

import html
import random
import re
from collections.abc import Callable, Mapping

from data_pipeline.sample.grammar import Piece

_WORD = re.compile(r"[a-z]{4,}")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(ord("0"), ord("z") + 1) if chr(code).isalnum()}
_NO_BREAK_SPACE, _ZERO_WIDTH_SPACE = "\u00a0", "\u200b"

MARKUP_WEIGHTS = {"none": 80, "html": 6, "entities": 4, "spaces": 4, "zero_width": 3, "line_ends": 3}
"""How often, in percent, a comment's body is disfigured in which way."""


def mistype(pieces: list[Piece], rng: random.Random, rate: float, known: Mapping[str, str]) -> list[Piece]:
    """Misspell about `rate` of the words; well-known misspellings (`known`) come first."""

    def damage(match: re.Match[str]) -> str:
        word = match.group()
        if word in known and rng.random() < 4 * rate:
            return known[word]
        if rng.random() >= rate:
            return word
        at = rng.randrange(1, len(word) - 1)
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return rng.choice((swapped, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]))

    return _on_plain(pieces, lambda text: _WORD.sub(damage, text)) if rate else pieces


def reword(pieces: list[Piece], rng: random.Random, rate: float) -> list[Piece]:
    """Change about `rate` of the words, and something in any case, as somebody does who types it again."""

    def change(text: str) -> str:
        words = text.split(" ")
        for index in range(len(words) - 1, -1, -1):
            if not words[index].isalpha() or rng.random() >= rate:
                continue
            kind = rng.choice(("drop", "drop", "really", "letters"))
            if kind == "drop":
                del words[index]
            elif kind == "letters" and len(words[index]) > 3:
                words[index] = words[index][:-2] + words[index][-1] + words[index][-2]
            else:
                words.insert(index, rng.choice(("really", "just", "still", "also", "so", "then")))
        return " ".join(words)

    reworded = _on_plain(pieces, change)
    return reworded if reworded != pieces else [*pieces, Piece(" …")]


def lower(pieces: list[Piece]) -> list[Piece]:
    return _on_plain(pieces, str.lower)


def shout(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """Put one sentence of three words or more into capitals."""
    sentences = [
        (index, sentence)
        for index, piece in enumerate(pieces)
        for sentence in re.split(r"(?<=[.!?])\s", piece.text)
        if piece.kind is None and len(sentence.split()) >= 3
    ]
    if not sentences:
        return pieces
    index, sentence = rng.choice(sentences)
    loud = Piece(pieces[index].text.replace(sentence, sentence.upper(), 1))
    return [*pieces[:index], loud, *pieces[index + 1 :]]


def curl_quotes(pieces: list[Piece]) -> list[Piece]:
    """Typographic quotes, as phones set them."""

    def curl(text: str) -> str:
        text = re.sub(r'(^|[\s(])"', r"\1“", text).replace('"', "”")
        return text.replace("'", "’")

    return _on_plain(pieces, curl)


def full_width(pieces: list[Piece]) -> list[Piece]:
    """Full-width digits and capitals, as a Japanese keyboard leaves them; only in words that hold a digit."""

    def widen(text: str) -> str:
        return re.sub(r"\b[A-Z]*\d+\b", lambda match: match.group().translate(_FULL_WIDTH), text)

    return _on_plain(pieces, widen)


def quote(pieces: list[Piece]) -> list[Piece]:
    """Mark every line as quoted from an earlier mail."""
    quoted = [Piece(piece.text.replace("\n", "\n> "), piece.kind) for piece in pieces]
    return [Piece("> "), *quoted]


def disfigure(pieces: list[Piece], rng: random.Random) -> tuple[list[Piece], str]:
    """The body of a comment as an export holds it, and its HTML.

    The body itself is HTML in a few percent of the comments, and has odd spaces or line ends in some more.
    """
    kind = rng.choices(list(MARKUP_WEIGHTS), list(MARKUP_WEIGHTS.values()))[0]
    if kind == "html":
        body = [Piece("<p>"), *_on_all(pieces, _to_html), Piece("</p>")]
        return body, f'<div class="zd-comment" dir="auto">{_text(body)}</div>'
    if kind == "entities":
        pieces = _on_plain(_on_all(pieces, html.escape), lambda text: text.replace(", ", ",&nbsp;"))
    elif kind == "spaces":
        pieces = _on_plain(
            pieces, lambda text: re.sub(r"(?<=[.,]) ", _NO_BREAK_SPACE, text).replace("\n", "  \n")
        )
    elif kind == "zero_width":
        pieces = [
            Piece("\ufeff"),
            *_on_plain(pieces, lambda text: text.replace(". ", f".{_ZERO_WIDTH_SPACE} ")),
        ]
    elif kind == "line_ends":
        pieces = _on_plain([*pieces, Piece("\n\n")], lambda text: text.replace("\n", "\r\n"))
    inner = _text(pieces) if kind == "entities" else html.escape(_text(pieces))
    return pieces, f'<div class="zd-comment" dir="auto"><p>{_with_breaks(inner)}</p></div>'


def _to_html(text: str) -> str:
    return _with_breaks(html.escape(text))


def _with_breaks(text: str) -> str:
    return text.replace("\n", "<br>")


def _text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _on_plain(pieces: list[Piece], change: Callable[[str], str]) -> list[Piece]:
    return [piece if piece.kind else Piece(change(piece.text)) for piece in pieces]


def _on_all(pieces: list[Piece], change: Callable[[str], str]) -> list[Piece]:
    return [Piece(change(piece.text), piece.kind) for piece in pieces]
