"""The page, as text and in a browser."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.audit.model import Audit, Example
from data_pipeline.audit.render import percent, render
from tests.data_pipeline.audit.frames import company, frame, rejected
from tests.data_pipeline.audit.measuring import measure

HOSTILE = (
    '</style></td><script>document.title="owned"</script>'
    "<img src='{url}/pixel.png' onerror='document.body.id=1'><style>@import url({url}/import.css);</style>"
    '<link rel="stylesheet" href="{url}/style.css">" onload="document.body.id=1'
)


@cache
def full(url: str = "http://127.0.0.1:1") -> Audit:
    """An audit with everything in it, and hostile text wherever a row's text or name can stand."""
    hostile = HOSTILE.format(url=url)
    data = company(900).astype({"topic": object, "source": object, "reason": object})
    data.loc[data.index[::9], "topic"] = hostile
    data.loc[data.index[::7], ["source", "language"]] = hostile
    data.loc[data["reason"] == "low_score", "reason"] = hostile
    data.loc[data.index[::11], "pii"] = '{"<b>TYPE</b>": 1}'
    examples = {
        hostile: [Example(id=hostile, text=hostile)],
        "duplicate": [Example(id="t/1", text="Scrubbed\ntext")],
    }
    return measure(data, {"broken_json": 3}, examples=examples, previous=measure(company(700, seed=3)))


class Elements(HTMLParser):
    """Start tags with their attributes, and the text that a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(page)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def assert_inert(page: str) -> Elements:
    """Nothing runs, and nothing is loaded."""
    found = Elements(page)
    names = {tag for tag, _ in found.tags}
    assert not names & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "video",
        "audio",
    }
    for tag, attributes in found.tags:
        assert not any(name.startswith("on") for name in attributes), attributes
        assert "src" not in attributes
        assert tag == "a" or "href" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert "url(" not in (attributes.get("style") or "")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    return found


def test_hostile_text_is_shown_and_does_nothing() -> None:
    page = render(full())
    found = assert_inert(page)
    assert HOSTILE.format(url="http://127.0.0.1:1") in found.text
    assert "<b>TYPE</b>" in found.text


@cache
def small() -> Audit:
    return measure(frame({}, rejected("level1", "too_short")))


@given(st.text(max_size=40), st.text(min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_any_text_is_shown_as_it_is(text: str, name: str) -> None:
    (removed,) = small().removed
    removed = removed.model_copy(update={"examples": [Example(id=name, text=text)]})
    page = render(small().model_copy(update={"removed": [removed], "dataset": name}))
    shown = assert_inert(page).text
    normal = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    assert normal in shown or text in shown


def test_equal_audits_give_equal_pages() -> None:
    assert render(full()) == render(full())


def test_what_is_not_measured_is_said_and_no_number_is_made_up() -> None:
    text = Elements(render(measure(frame({}, {"outcome": "test"})))).text
    for words in (
        "not measured: tokens, for want of a tokenizer in the config",
        "not measured: no row has labels of several people",
        "not measured: there is no previous version to compare with",
        "not measured: neither topic nor difficulty nor sentiment is known",
        "not measured: no synthetic row has a score",
    ):
        assert words in text
    assert "nan" not in text.lower().replace("finance", "")
    assert "None" not in text


def test_a_build_without_rows_has_a_page() -> None:
    assert "0 of 13 ask" in Elements(render(measure(frame({}).iloc[:0]))).text


def test_many_topics_are_cut_and_said_to_be() -> None:
    rows = [{"topic": f"topic {number:03d}"} for number in range(120)]
    text = Elements(render(measure(frame(*rows)))).text
    assert "90 more in audit.json" in text
    assert "topic 119" not in text


def test_figures_of_the_page() -> None:
    rows = [{"topic": "faq"}] * 3 + [rejected("level1", "too_short", topic="order")]
    text = Elements(render(measure(frame(*rows), {"broken_json": 1}))).words
    assert "kept, 60.0%" in text
    assert "readable conversations 4 80.0% 80.0%" in text
    assert "level 1: length, language, repeats 3 60.0% 75.0%" in text
    assert "broken json 1 20.0%" in text
    assert "faq 75.0% 100.0% 3" in text
    assert "order 25.0% 0.0% 0" in text


def test_a_little_is_not_nothing() -> None:
    assert [percent(v) for v in (0, 0.0001, 0.0005, 0.5)] == ["0.0%", "<0.1%", "0.1%", "50.0%"]


@dataclass
class Site:
    """A web server that notes what is asked of it."""

    url: str
    requests: list[str]


@pytest.fixture
def site() -> Iterator[Site]:
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Site(f"http://127.0.0.1:{server.server_port}", requests)
    server.shutdown()


def browse(browser: str, folder: Path, page: str) -> tuple[str, str]:
    """The document after the browser has read it, and what it said on its console."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=2000",
        "--dump-dom",
    ]
    run = partial(subprocess.run, capture_output=True, text=True, timeout=120, check=True)
    done = run([browser, *flags, f"file://{folder / 'page.html'}"])
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.chromium
@pytest.mark.slow
def test_a_browser_shows_the_page_and_asks_for_nothing(chromium: str, tmp_path: Path, site: Site) -> None:
    document, console = browse(chromium, tmp_path, render(full(site.url)))
    assert console == ""
    assert site.requests == []
    assert "<title>Dataset audit: shop</title>" in document
    text = Elements(document).text
    for words in (
        "Dataset audit: shop",
        "Decisions",
        "Krippendorff's alpha",
        "Sampling",
        "[DECISION] fix_leaks=no",
    ):
        assert words in text


@pytest.mark.chromium
@pytest.mark.slow
def test_the_browser_would_have_told(chromium: str, tmp_path: Path, site: Site) -> None:
    """What the test above looks for is there when text gets onto a page without care."""
    bad = f"<title>mine</title><script>nothing()</script>{HOSTILE.format(url=site.url)}"
    document, console = browse(chromium, tmp_path, bad)
    assert "nothing is not defined" in console
    assert "/pixel.png" in site.requests
    assert "<title>owned</title>" in document
