from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.sources.articles import _html_sections, _markdown_sections
from data_pipeline.steps.html_to_text import html_to_text
from tests.data_pipeline.sources.reading import read, write

MARKDOWN = """---
id: returns
title: Returning books
topic: returns
---

You have 30 days.

# Returning books

## How long does a refund take?

Five days.
- Cards: three.

```
# no heading
```

### Empty

## Damaged books

Keep the box.
"""

HTML = """<!doctype html>
<html><head><title>Help | Shop</title><style>h1 {color: red}</style></head>
<body><nav><h2>Menu</h2><a href="/">Home</a></nav>
<main>
<h1>Delivery &amp; costs</h1>
<p>We send
every day.</p>
<h2 class="faq">What does it <em>cost</em>?</h2>
<ul><li>Europe: 5 EUR</li><li>Japan: 9 EUR</li></ul>
<h2>Nothing here</h2>
</main><footer><p>Imprint</p></footer></body></html>
"""


def test_each_section_of_an_article_answers_its_heading(tmp_path: Path) -> None:
    write(tmp_path / "kb" / "returns.md", MARKDOWN)
    found = read(tmp_path, type="kb", path=tmp_path / "kb")
    assert found.turns == [
        [("user", "Returning books"), ("assistant", "You have 30 days.")],
        [
            ("user", "How long does a refund take?"),
            ("assistant", "Five days.\n- Cards: three.\n\n```\n# no heading\n```"),
        ],
        [("user", "Returning books: Damaged books"), ("assistant", "Keep the box.")],
    ]
    assert found.lines == [7, 13, 24]
    assert [document.id for document in found.documents] == ["kb/returns#1", "kb/returns#2", "kb/returns#3"]
    metadata = found.documents[1].metadata
    assert metadata["keys"] == ["thread:kb:returns"]
    assert metadata["origin"] == "kb"
    assert metadata["fields"] == {
        "article": "returns",
        "title": "Returning books",
        "heading": "How long does a refund take?",
        "tags": ["returns"],
    }


def test_of_a_page_the_article_is_read(tmp_path: Path) -> None:
    write(tmp_path / "kb" / "faq" / "delivery.html", HTML)
    found = read(tmp_path, type="kb", path=tmp_path / "kb")
    texts = [[(role, html_to_text(content).strip()) for role, content in turns] for turns in found.turns]
    assert texts == [
        [("user", "Delivery & costs"), ("assistant", "We send every day.")],
        [("user", "What does it cost?"), ("assistant", "- Europe: 5 EUR\n- Japan: 9 EUR")],
    ]
    assert [document.id for document in found.documents] == ["kb/faq/delivery#1", "kb/faq/delivery#2"]
    assert found.lines == [6, 9]


def test_without_a_front_matter_the_first_heading_or_the_name_is_the_title(tmp_path: Path) -> None:
    write(tmp_path / "kb" / "a.md", "\ufeff# Gift cards\r\n\r\nThey never expire.\r\n")
    write(tmp_path / "kb" / "first-prints_and-extras.md", "Only while stocks last.")
    found = read(tmp_path, type="kb", path=tmp_path / "kb")
    assert [turns[0][1] for turns in found.turns] == ["Gift cards", "first prints and extras"]
    assert [document.id for document in found.documents] == ["kb/a#1", "kb/first-prints_and-extras#1"]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.md", b"# Only a heading\n\n", "no_text"),
        ("a.md", b"", "no_text"),
        ("a.md", b"---\nid: [\n---\nText", "broken_front_matter"),
        ("a.md", b"---\njust text\n---\nText", "broken_front_matter"),
        ("a.md", b"\xff\xfe", "invalid_utf8"),
        ("a.md", b"x" * 200_000, "line_too_long"),
        ("a.html", b"<html><body><h1>T</h1><script>x()</script></body></html>", "no_text"),
    ],
)
def test_an_article_without_anything_to_learn_has_a_reason(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    write(tmp_path / "kb" / name, data)
    write(tmp_path / "kb" / "z.md", "Text.")
    found = read(tmp_path, type="kb", path=tmp_path / "kb")
    assert found.rejected == [(1, reason)]
    assert found.turns == [[("user", "z"), ("assistant", "Text.")]]


def test_the_articles_of_the_sample_company_are_all_read(tmp_path: Path) -> None:
    folder = Path(__file__).parents[3] / "data_pipeline" / "sample" / "content" / "kb"
    found = read(tmp_path, type="kb", path=folder)
    assert found.rejected == []
    articles = {document.metadata["fields"]["article"] for document in found.documents}
    assert len(articles) == len(list(folder.glob("*.md"))) > 70
    assert len(found.documents) > len(articles)


LINES = st.lists(st.sampled_from(["# a", "## b c", "text", "", "```", "  more", "#no", "\ttab"]), max_size=12)


@given(LINES)
def test_no_line_of_markdown_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    _, sections = _markdown_sections(text, 0)
    for section in sections:
        assert text[section.start :].startswith(section.text)
    kept = "\n".join(section.text for section in sections).split()
    in_code = False
    for line in lines:
        in_code ^= line.startswith("```")
        if in_code or not line.startswith(("# ", "## ")):
            assert all(word in kept for word in line.split())


@given(
    st.lists(st.sampled_from(["<h1>", "</h1>", "<h2>", "</h2>", "<p>", "</main>", "<main>", "x", "<nav>"]))
)
def test_any_html_is_cut_somehow(pieces: list[str]) -> None:
    title, sections = _html_sections("".join(pieces), 0)
    assert isinstance(title, str)
    assert sections


def test_pages_full_of_open_tags_take_no_quadratic_time() -> None:
    _html_sections("<h2>" * 50_000 + "<nav>" * 50_000 + "<main>" * 50_000 + "<!--" * 50_000, 0)
