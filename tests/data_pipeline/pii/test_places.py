"""Addresses, post codes, countries."""

import pytest

from data_pipeline.pii.recognizers.gazetteer import ListRecognizer
from data_pipeline.pii.recognizers.postal import PostcodeRecognizer
from data_pipeline.pii.recognizers.street import AddressRecognizer
from tests.data_pipeline.pii.finding import found


@pytest.mark.parametrize(
    "address",
    [
        "222 Plum Gutter Lane, Apt 26, Dunmarrow 00052",
        "17 Tin Lantern Way, Tennerby 00045",
        "12 High Street\nFlat C\nPort Ellison\nPE1 4QX",
        "5 5th Avenue, New Town, NT 10118",
        "12 rue de la Paix, 75002",
        "Hauptstraße 12",
        "Västerviksgatan 2",
        "Király u. 23",
        "Via Raffaele Conforti 74",
        "ul. Zuchów 65",
        "P.O. Box 255",
        "1-2-3 Jinnan, Shibuya-ku, Tokyo 150-0041",
        "東京都渋谷区神南1-2-3",
        "北海道札幌市中央区北一条西2丁目",
        "Stubben 149, Suite 12",
    ],
)
def test_address(address: str) -> None:
    text = f"it goes to {address}, thanks" if address.isascii() else f"住所は {address}、"
    assert address in {span.rstrip("、") for span in found(AddressRecognizer(), text)}


@pytest.mark.parametrize(
    "text",
    [
        "2 volumes, 3 editions and 12 Great Ideas",
        "Bonfire Idol Brigade 1 to 3",
        "it is 2 miles down the road",
        "the corner of horror and comedy",
        "chapter 12, page 40",
        "I paid 20 dollars and waited 3 weeks",
        "$5 off the drive",
    ],
)
def test_no_address(text: str) -> None:
    assert found(AddressRecognizer(), text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SW1A 1AA is it", "SW1A 1AA"),
        ("K1A 0B1", "K1A 0B1"),
        ("in CA 94107", "CA 94107"),
        ("my zip code is 02110", "02110"),
        ("PLZ: 10115", "10115"),
        ("〒150-0041", "〒150-0041"),
        ("郵便番号は150-0041", "150-0041"),
        ("1012 AB Amsterdam", "1012 AB"),
    ],
)
def test_postcode(text: str, code: str) -> None:
    assert code in found(PostcodeRecognizer(), text)


@pytest.mark.parametrize(
    "text", ["PS5 4TB", "volume 94107", "150-0041", "a zip file of 12 pages", "post code $12"]
)
def test_no_postcode(text: str) -> None:
    assert found(PostcodeRecognizer(), text) == []


def test_countries_and_peoples() -> None:
    recognizer = ListRecognizer()
    assert found(recognizer, "from east timor to the Kingdom of the Netherlands", "COUNTRY") == [
        "east timor",
        "Kingdom of the Netherlands",
    ]
    assert found(recognizer, "Is the US in? Tell us!", "COUNTRY") == ["US"]
    assert found(recognizer, "roast turkey from Turkey", "COUNTRY") == ["Turkey"]
    assert found(recognizer, "a Japanese edition, polish it", "NRP") == ["Japanese"]
