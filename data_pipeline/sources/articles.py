"""Articles of a knowledge base: each section with text is a row, its heading the question.

Markdown may open with a front matter (`id`, `title`, `topic`); without one, the first heading or the file's
name is the title.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data_pipeline.rows import RawRow, RowBuffer, read_chunks
from data_pipeline.sources.conversation import Conversation, key_text
from data_pipeline.sources.row import Row, parsed

_BOM = b"\xef\xbb\xbf"
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?\r?\n)---[ \t]*(?:\r?\n|$)", re.DOTALL)
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t#]*$")

# What a page holds beside its article. No pattern scans beyond the next tag of its kind.
_ASIDE = re.compile(
    r"(?is)<!--(?:(?!<!--).)*?-->"
    r"|<(script|style|nav|aside|footer|form|button|template|svg)\b[^<>]*>(?:(?!<\1\b).)*?</\1\s*>"
)
_TITLE = re.compile(r"(?is)<title\b[^<>]*>([^<]*)</title\s*>")
_BODY = re.compile(r"(?is)<(article|main|body)\b[^<>]*>((?:(?!<\1\b).)*)</\1\s*>")
_HTML_HEADING = re.compile(r"(?is)<h([1-6])\b[^<>]*>((?:(?!<h[1-6]\b).)*?)</h\1\s*>")
_WITHIN_WORDS = re.compile(r"(?i)</?(?:a|b|code|em|i|mark|small|span|strong|sub|sup|u)\b[^<>]*>")
_ANY_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class _Section:
    """`start` is where its text begins in the file."""

    heading: str
    text: str
    start: int


def read(path: Path, name: str, buffer: RowBuffer) -> Iterator[Row]:
    """Yield the sections of an article; `name` is its id where it gives none.

    Reasons of defects: no_text (no section has any), broken_front_matter, invalid_utf8, line_too_long (the
    whole file is longer than that).
    """
    for chunk in read_chunks(path):
        buffer.add(chunk)
    for raw in buffer.take(as_is=True):
        whole = parsed(raw, lambda text: {"text": text}, buffer.max_bytes)
        if whole.data is None:
            yield whole
        else:
            yield from _rows(raw, whole.data["text"].removeprefix("\ufeff"), Path(name))


def conversation(row: dict[str, Any]) -> Conversation:
    """A section as an exchange. Sections of one article are one thread, and so stay together."""
    title, heading = row["title"], row["heading"]
    question = heading if heading.endswith(("?", "？")) else f"{title}: {heading}"
    if heading in ("", title):
        question = title
    fields = {name: row[name] for name in ("article", "title", "heading", "tags") if row[name]}
    return Conversation(
        messages=[{"role": "user", "content": question}, {"role": "assistant", "content": row["text"]}],
        id=f"{row['article']}#{row['number']}",
        thread=row["article"],
        fields=fields,
    )


def _rows(raw: RawRow, text: str, name: Path) -> Iterator[Row]:
    front: Any = {}
    body_at = 0
    is_html = name.suffix != ".md"
    if not is_html and (match := _FRONT_MATTER.match(text)):
        try:
            front, body_at = yaml.safe_load(match[1]) or {}, match.end()
        except (yaml.YAMLError, ValueError, RecursionError):
            front = None
        if not isinstance(front, dict):
            yield Row(raw, defect=("broken_front_matter", "what stands between the first two --- is no YAML"))
            return
    read_sections = _html_sections if is_html else _markdown_sections
    title, sections = read_sections(text, body_at)
    title = key_text(front.get("title")) or title or name.stem.replace("-", " ").replace("_", " ").strip()
    article = key_text(front.get("id")) or name.with_suffix("").as_posix()
    topic = key_text(front.get("topic"))
    numbered = enumerate((section for section in sections if section.text), start=1)
    data = {"article": article, "title": title, "tags": [topic] if topic else []}
    number = 0
    for number, section in numbered:
        line = raw.line + text.count("\n", 0, section.start)
        own = {"number": number, "heading": section.heading, "text": section.text}
        yield Row(RawRow(line, section.text.encode()), data | own)
    if not number:
        yield Row(raw, defect=("no_text", "no text below its headings"))


def _markdown_sections(text: str, at: int) -> tuple[str, list[_Section]]:
    """The first heading of level 1, and the sections."""
    title, heading, start, in_code = "", "", at, False
    sections: list[_Section] = []
    lines: list[str] = []

    def close() -> None:
        body = "\n".join(lines)
        blank = len(body) - len(body.lstrip())
        sections.append(_Section(heading, body.strip(), start + blank))

    for line in text[at:].split("\n"):
        in_code ^= line.lstrip().startswith("```")
        match = None if in_code else _HEADING.fullmatch(line.rstrip("\r"))
        at += len(line) + 1
        if match is None:
            lines.append(line)
            continue
        close()
        lines, start, heading = [], at, match[2]
        if match[1] == "#" and not title:
            title = heading
    close()
    return title, sections


def _html_sections(text: str, at: int) -> tuple[str, list[_Section]]:
    """The page's title, and the sections, still as HTML. Its heading of level 1 is a better title."""
    found = _TITLE.search(text)
    title = _plain(found[1]) if found else ""
    # Blanked and not removed, so that places stay what they are.
    page = _ASIDE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    if body := _BODY.search(page):
        at, page = body.start(2), page[: body.end(2)]
    sections: list[_Section] = []
    heading = ""
    headings = list(_HTML_HEADING.finditer(page, at))
    for index, start in enumerate([at, *(match.end() for match in headings)]):
        end = headings[index].start() if index < len(headings) else len(page)
        fragment = page[start:end]
        # A fragment that opens with a tag is HTML for what cleans it later; line breaks in it mean nothing.
        has_text = bool(_plain(fragment))
        blank = len(fragment) - len(fragment.lstrip())
        sections.append(
            _Section(heading, f"<div>{fragment.strip()}</div>" if has_text else "", start + blank)
        )
        if index < len(headings):
            heading = _plain(headings[index][2])
            if headings[index][1] == "1" and heading:
                title = heading
    return title, sections


def _plain(fragment: str) -> str:
    return " ".join(html.unescape(_ANY_TAG.sub(" ", _WITHIN_WORDS.sub("", fragment))).split())
