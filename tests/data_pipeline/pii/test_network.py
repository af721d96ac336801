"""Mail and network addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.pii.recognizers.mail import EmailRecognizer
from data_pipeline.pii.recognizers.network import IpAddressRecognizer, UrlRecognizer
from tests.data_pipeline.pii.finding import found


@pytest.mark.parametrize(
    "address",
    [
        "jo@example.org",
        "harrow_rosa+shop@mail.example.co.uk",
        "o'dell@example.com",
        "jürgen.grün@müller.de",
        "x@xn--bcher-kva.example",
    ],
)
def test_email(address: str) -> None:
    assert found(EmailRecognizer(), f"Mail <{address}>. Thanks") == [address]
    assert found(EmailRecognizer(), f"メールは{address}です") == [address]


def test_email_spelled_out() -> None:
    assert found(EmailRecognizer(), "jo.field [at] example [dot] org") == ["jo.field [at] example [dot] org"]
    assert found(EmailRecognizer(), "jo(at)example.org") == ["jo(at)example.org"]


@pytest.mark.parametrize(
    "text", ["@jo", "jo@", "jo@home", "a @ b.com", "3 @ 5.00 each", "jo@example.1", "@@@"]
)
def test_no_email(text: str) -> None:
    assert found(EmailRecognizer(), text) == []


@given(st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?@[a-z0-9]{1,20}\.[a-z]{2,6}", fullmatch=True))
def test_email_is_found_whole(address: str) -> None:
    assert found(EmailRecognizer(), f"write to {address}!") == [address]


@pytest.mark.parametrize("address", ["192.0.2.17", "10.0.0.1/8", "2001:db8::ff00:42:8329", "fe80::1:2"])
def test_ip_address(address: str) -> None:
    assert found(IpAddressRecognizer(), f"from {address}, blocked") == [address]


@pytest.mark.parametrize(
    "text",
    ["256.1.1.1", "version 1.2.3.4", "1.2.3.4.5", "at 12:30:45", "std::vector 1", ":: 1", "5:7", "1.2.3"],
)
def test_no_ip_address(text: str) -> None:
    assert found(IpAddressRecognizer(), text) == []


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see https://shop.example/a?b=c#d.", "https://shop.example/a?b=c#d"),
        ("(www.example.org/x_(y))", "www.example.org/x_(y)"),
        ("on Bücher.example.com/neu, today", "Bücher.example.com/neu"),
        ("my site is janefield.co.uk", "janefield.co.uk"),
        ("日本語https://example.jp/商品。", "https://example.jp/商品"),
    ],
)
def test_url(text: str, link: str) -> None:
    assert link in found(UrlRecognizer(), text)


@pytest.mark.parametrize(
    "text",
    [
        "arrived.It was late",
        "e.g. this",
        "Node.js",
        "3.5mm",
        "vol.12",
        "I like it.no really",
        "jo@example.org",
    ],
)
def test_no_url(text: str) -> None:
    assert found(UrlRecognizer(), text) == []
