"""A folder of Markdown articles as passages: a few paragraphs under the article's title and their heading."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from common.errors import UserError
from common.retrieval.words import words

_ENOUGH = 60
"""Words of a passage; with 30 or 120, as many articles are found, but the passages say less or cost more."""
_TOO_MANY = 120
"""Words of a paragraph that is cut: beyond about 200, the embedded encoder would not see the end."""

_FRONT_MATTER = re.compile(r"---\n(.*?\n)---(?:\n|$)(.*)", re.DOTALL)
_HEADING = re.compile(r"#{1,6}\s+(.*?)[\s#]*$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


@dataclass(frozen=True)
class Passage:
    """A part of an article.

    Attributes:
        id: `<article>#<number>`, the same as long as the article is, whatever else the folder holds.
        article: the article's id.
        text: title, heading and paragraphs, one a line.
    """

    id: str
    article: str
    text: str


def read_passages(folder: Path) -> list[Passage]:
    """The passages of all `*.md` files below `folder`, in the order of their paths.

    An article is Markdown under a front matter, which names at least its `id` and `title`.

    Raises:
        UserError: there are no articles; one has no front matter or no text; two have the same id.
    """
    paths = sorted(folder.rglob("*.md"))
    if not paths:
        raise UserError(f"'{folder}' holds no articles", "give a folder of Markdown files (*.md)")
    files: dict[str, Path] = {}
    passages: list[Passage] = []
    for path in paths:
        article, title, body = _read_article(path)
        if article in files:
            raise UserError(f"'{files[article]}' and '{path}' have the same id: {article}", "change one")
        files[article] = path
        texts = list(split(title, body))
        if not texts:
            raise UserError(f"'{path}' holds no text below its headings", "write it, or remove the file")
        passages += [Passage(f"{article}#{n}", article, text) for n, text in enumerate(texts, start=1)]
    return passages


def split(title: str, body: str) -> Iterator[str]:
    """Cut an article into the texts of passages.

    Paragraphs of a section stay together up to 60 words. One of more than 120 words is cut at lines or, where
    it has only one, at sentences. Code between ``` is one paragraph.
    """
    for heading, paragraphs in _sections(body):
        head = [title] if heading in ("", title) else [title, heading]
        for texts in _packed(piece for text in paragraphs for piece in _pieces(text)):
            yield "\n".join([*head, *texts])


def _read_article(path: Path) -> tuple[str, str, str]:
    """Id, title and body."""
    try:
        match = _FRONT_MATTER.fullmatch(path.read_text(encoding="utf-8-sig"))
        front: Any = yaml.safe_load(match[1]) if match else None
    except UnicodeDecodeError:
        raise UserError(f"'{path}' is not UTF-8", "save it as UTF-8") from None
    except yaml.YAMLError:
        front = None
    if match is None or not isinstance(front, dict) or not (front.get("id") and front.get("title")):
        raise UserError(
            f"'{path}' has no front matter with id and title",
            "begin it with a line ---, lines such as 'id: returns' and 'title: Returning books', a line ---",
        )
    return str(front["id"]), str(front["title"]), match[2]


def _sections(body: str) -> Iterator[tuple[str, list[str]]]:
    """Headings with the paragraphs below them; '' for what stands before the first."""
    heading, paragraphs, lines, in_code = "", list[str](), list[str](), False
    for line in body.splitlines():
        in_code ^= line.lstrip().startswith("```")
        next_heading = None if in_code else _HEADING.fullmatch(line)
        if in_code or (line.strip() and not next_heading):
            lines.append(line.rstrip())
            continue
        if lines:
            paragraphs.append("\n".join(lines))
            lines = []
        if next_heading:
            yield heading, paragraphs
            heading, paragraphs = next_heading[1], []
    if lines:
        paragraphs.append("\n".join(lines))
    yield heading, paragraphs


def _pieces(paragraph: str) -> list[str]:
    """`paragraph`, in parts if it has too many words."""
    if len(words(paragraph)) <= _TOO_MANY:
        return [paragraph]
    lines = paragraph.splitlines()
    return lines if len(lines) > 1 else [part for part in _SENTENCE_END.split(paragraph) if part]


def _packed(pieces: Iterable[str]) -> Iterator[list[str]]:
    """Neighbours together, as long as they do not exceed `_ENOUGH` words."""
    group: list[str] = []
    size = 0
    for piece in pieces:
        count = len(words(piece))
        if group and size + count > _ENOUGH:
            yield group
            group, size = [], 0
        group.append(piece)
        size += count
    if group:
        yield group
