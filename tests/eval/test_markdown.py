"""Whatever a customer or a model writes shows as text, not as markup."""

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from eval.markdown import escape, interval
from eval.stats import Interval

TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t"), min_size=1)


def shown(cell: str) -> str:
    """What a reader sees of a table cell."""
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"| a |\n| :-- |\n| {cell} |\n")
    [rows] = re.findall(r"<tbody>\s*<tr>\s*<td[^>]*>(.*)</td>\s*</tr>\s*</tbody>", page, re.DOTALL) or [""]
    assert not re.search(r"<(?!br>)", rows), rows
    return html.unescape(rows.replace("<br>", "\n"))


def plain(text: str) -> str:
    lines = (re.sub(r"[^\S\n]", " ", line) for line in text.strip().split("\n"))
    return "\n".join(lines).strip()


@given(TEXT)
@example("| a | b |\n|---|---|")
@example("**bold** _it_ `code` ~~gone~~ $x^2$ <b>tag</b> &amp; \\| [x](http://a.b) ![i](j)")
@example("# title\n- list\n1. one\n> quote\n---\n```\ncode")
@example("<script>alert(1)</script>\n<!-- x -->")
@example("a  \n  b\\")
def test_text_shows_as_it_is(text):
    assert shown(escape(text)) == plain(text)


@pytest.mark.parametrize(
    "text", ["see https://example.com/a_b", "www.example.com", "me@example.com", "@someone"]
)
def test_no_link_is_made(text):
    page = MarkdownIt("gfm-like").render(escape(text)) if _has_linkify() else ""
    assert "<a" not in page
    assert not re.search(r"https?://|www\.|(?<!\\)@", escape(text))


def _has_linkify() -> bool:
    try:
        import linkify_it  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Interval(0.41234, 0.4, 0.43), "0.412 [0.400, 0.430]"),
        (Interval(-0.02, -0.1, 0.0), "-0.020 [-0.100, 0.000]"),
        (Interval(123.4, 12.34, 1234.0), "123 [12.3, 1,234]"),
        (None, "–"),
    ],
)
def test_intervals(value, text):
    assert interval(value) == text
