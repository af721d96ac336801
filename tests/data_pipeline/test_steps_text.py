import time
import unicodedata

import pytest
from datatrove.data import Document
from hypothesis import example, given
from hypothesis import strategies as st

from data_pipeline.steps.html_to_text import HtmlToText, html_to_text
from data_pipeline.steps.normalise_unicode import normalise_unicode
from data_pipeline.steps.normalise_whitespace import normalise_whitespace


def cleaned(text: str) -> str:
    return normalise_whitespace(normalise_unicode(html_to_text(text)))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hi Mia,</p><p>it is <b>on its way</b>.</p>", "Hi Mia,\n\nit is on its way."),
        ("<div>one<br>two</div><div>three</div>", "one\ntwo\nthree"),
        ("<div>one</div>\n  <div><br></div>\n  <div>two</div>", "one\n\ntwo"),
        ('<div class="c">wrapped\n   by the\n   mail client</div>', "wrapped by the mail client"),
        ('See <a href="https://example.com/x?a=1&b=2">your order</a>.', "See your order."),
        ("<ul><li>One Piece 12</li><li>Nana 3</li></ul>Thanks", "- One Piece 12\n- Nana 3\nThanks"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<style>p {color: red}</style><p>Hi</p><script>track('<b>')</script>", "Hi"),
        ("<!DOCTYPE html><!-- mail <b>7</b> --><p>Hi</p>", "Hi"),
        ("Word<o:p></o:p>s", "Words"),
        ("Tom &amp; Jerry &lt;3 &#169; &#x1F600; caf&eacute;", "Tom & Jerry <3 © 😀 café"),
        ("First line\nSecond <b>line</b>", "First line\nSecond line"),
    ],
)
def test_html_becomes_the_text_that_one_saw(html: str, text: str) -> None:
    assert cleaned(html) == text


@pytest.mark.parametrize(
    "text",
    [
        "I <3 this series",
        "volume 3 < volume 4 and 5 > 4",
        "Dear <customer name>, your <order number> is here",
        "https://example.com/?a=1&copy=2&lt=3",
        "AT&T & friends",
        "an unfinished <b",
        "an unfinished <!-- comment",
        "line one\nline two",
        "&notanentity; &#99999999999;",
    ],
)
def test_plain_text_is_no_html(text: str) -> None:
    assert cleaned(text) == text


@given(st.text(alphabet=st.characters(exclude_characters="<&", exclude_categories=["Cs"])))
def test_without_brackets_and_ampersands_nothing_is_html(text: str) -> None:
    assert html_to_text(text) == text


@pytest.mark.parametrize(
    "unit", ["<a ", "<!--", "<script>", "<a \"'", "<", "&", "&amp", " ", "\n ", "<div>\x0b ", "\u200d"]
)
def test_cleaning_takes_linear_time(unit: str) -> None:
    started = time.process_time()
    cleaned("a <b>" + unit * (200_000 // len(unit)))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ＯＲＤＥＲ　＃１２３", "ORDER #123"),
        ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "taro@example.com"),
        ("ｶﾞﾝﾀﾞﾑ ﾉ ﾏﾝｶﾞ｡", "ガンダム ノ マンガ。"),
        ("か\u3099", "が"),
        ("cafe\u0301", "café"),
        ("don’t “quote”", 'don\'t "quote"'),
        ("ISBN 978\u20114", "ISBN 978-4"),
        ("a\u00a0b\u2009c", "a b c"),
        ("a\u200bb\ufeffc\u00add\u202ee", "abcde"),
        ("a\x00b\x1fc\x7fd", "abcd"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("in\u200dvisible", "invisible"),
    ],
)
def test_what_looks_the_same_becomes_the_same(text: str, normal: str) -> None:
    assert normalise_unicode(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "『進撃の巨人』の第３４巻は在庫がありますか？".replace("３４", "34"),
        "ありがとうございます！（返品）、・ー〜～",
        "髙橋﨑さん、①㈱½™…—",
        "👨\u200d👩\u200d👧 ❤\ufe0f",
        "می\u200cخواهم",
        "한국어 Ελληνικά Русский «bonjour»",
    ],
)
def test_other_scripts_are_left_as_they_are(text: str) -> None:
    assert normalise_unicode(text) == text


UNICODE = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("aeｶﾊﾞﾟか\u3099\u0301\u200c\u200d\u200b\u212a\u212bé \t\n\r\u00a0\u3000Ａ．！‘”\u0344")
)


@given(UNICODE)
@example("\u212a\u200dé")  # a sign that NFC turns into a plain letter, before a joiner
@example("e\u200d\u0301")  # a joiner that stands between a letter and its accent
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalise_whitespace(normalise_unicode(text))
    assert normalise_whitespace(normalise_unicode(once)) == once
    assert unicodedata.is_normalized("NFC", once)


@given(st.text(st.characters(categories=["Lo", "Nd"], max_codepoint=0xFF00)))
def test_letters_and_digits_are_never_lost(text: str) -> None:
    assert len(normalise_unicode(text)) >= len(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  a \t b  ", "a b"),
        ("a  \n   b", "a\nb"),
        ("a\n\n \n\t\nb", "a\n\nb"),
        ("\n\na\n\n", "a"),
        (" \n ", ""),
    ],
)
def test_white_space_has_one_form(text: str, normal: str) -> None:
    assert normalise_whitespace(text) == normal


def test_what_tools_answer_is_left_alone() -> None:
    text = '{"note": "<b>5</b> &lt; 6"}'
    messages = [{"role": role, "content": text} for role in ("user", "tool")]
    [document] = HtmlToText().run(iter([Document(text="", id="a", metadata={"messages": messages})]))
    assert [message["content"] for message in document.metadata["messages"]] == ['{"note": "5 < 6"}', text]
