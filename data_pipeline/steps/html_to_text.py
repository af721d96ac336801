"""HTML to plain text, by rules that leave plain text as it is."""

import html
import re
from html.entities import html5

from data_pipeline.steps.message_text import MessageTextStep

_BLOCK_NAMES = """
    article blockquote dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr li ol pre section table tr ul
"""
_OTHER_NAMES = """
    a abbr address area aside audio b base bdi bdo big body br button canvas caption center cite code
    col colgroup data del details dfn dialog em embed fieldset figcaption figure font form head html i
    iframe img input ins kbd label legend link main map mark meta nav noscript object option p picture q
    rp rt ruby s samp script select small source span strike strong style sub summary sup svg tbody td
    template textarea tfoot th thead time title tt u var video wbr
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_TAGS = _BLOCKS.union(_OTHER_NAMES.split())

# No pattern scans beyond the next "<" or comment, so that the time stays linear whatever customers paste.
_COMMENT = re.compile(r"(?is)<!--(?:(?!<!--).)*?-->|<!doctype\b[^<>]*>")
_UNSEEN = re.compile(r"(?is)<(script|style|head|title)\b[^<>]*>(?:(?!<\1\b).)*?</\1\s*>")
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*(?::[a-zA-Z]+)?)((?:\s(?:"[^"<]*"|'[^'<]*'|[^'"<>])*)?)/?>""")
_BREAK, _PARAGRAPH = "\x0b", "\x0c"
_BREAKS_RUN = re.compile(rf"[{_BREAK}{_PARAGRAPH}][ \t{_BREAK}{_PARAGRAPH}]*")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


class HtmlToText(MessageTextStep):
    """Keeps the text of tags and links, a new line for every block, a dash for every list item."""

    name = "HTML to text"

    def format(self, text: str) -> str:
        return html_to_text(text)


def html_to_text(text: str) -> str:
    """Text without markup. Only tags that HTML knows (and Office's `<o:p>`) count as such.

    So `<3`, `a < b` and `<order number>` stay. A text that begins with a tag is taken for a whole HTML
    fragment, in which a line break of the source is a space; elsewhere line breaks stay.
    """
    if "<" in text:
        text = _UNSEEN.sub(" ", _COMMENT.sub("", text))
        first = _TAG.match(text.lstrip())
        if first and _is_tag(first):
            text = re.sub(r"\s+", " ", text)
        text = _BREAKS_RUN.sub(_newlines, _TAG.sub(_replacement, text))
    return _ENTITY.sub(_character, text) if "&" in text else text


def _is_tag(match: re.Match[str]) -> bool:
    return match[2].lower() in _TAGS or ":" in match[2]


def _replacement(match: re.Match[str]) -> str:
    closing, name = match[1], match[2].lower()
    if not _is_tag(match):
        return match[0]
    match name:
        case "br":
            return "\n"
        case "p":
            return _PARAGRAPH
        case "li" if not closing:
            return f"{_BREAK}- "
        case "td" | "th":
            return " "
    return _BREAK if name in _BLOCKS else ""


def _newlines(run: re.Match[str]) -> str:
    """One newline however many blocks begin and end there, and a blank line where a paragraph does."""
    return "\n\n" if _PARAGRAPH in run[0] else "\n"


def _character(entity: re.Match[str]) -> str:
    """The character, or the text as it stands when there is none of that name."""
    return html.unescape(entity[0]) if entity[0].startswith("&#") else html5.get(entity[0][1:], entity[0])
