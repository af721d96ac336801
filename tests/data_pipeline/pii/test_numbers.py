"""Phones, cards, accounts, papers: what is one, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.pii.recognizers.identity import DriverLicenseRecognizer, SsnRecognizer
from data_pipeline.pii.recognizers.payment import CardRecognizer, IbanRecognizer, iban_is_valid, luhn
from data_pipeline.pii.recognizers.phone import PhoneRecognizer
from tests.data_pipeline.pii.finding import found

CARD = "4929 3813 3266 4295"
IBAN = "GB82 WEST 1234 5698 7654 32"


@pytest.mark.parametrize(
    "number",
    [
        "+1 630 555 0129",
        "(717) 555-0162",
        "488.555.0173",
        "212-555-0147 ext. 12",
        "001-748-088-2851x818",
        "+44 20 7946 0958",
        "+81 90-1234-5678",
        "+49 (0)30 901820",
        "03-1234-5678",
        "0477 11 28 98",
        "09012345678",
        "(91) 5676-6953",
        "021-4006034",
        "555-0123",
    ],
)
def test_phone_by_its_form(number: str) -> None:
    assert found(PhoneRecognizer(), f"Is it {number}, as ever?") == [number]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Please call me on 2546712361 after six", "2546712361"),
        ("you can reach us at 9320 7126", "9320 7126"),
        ("Phone: 73 448 266", "73 448 266"),
        ("They were not answering at 33 93 31.", "33 93 31"),
        ("20834567 is my mobile number", "20834567"),
        ("電話は03-1234-5678です", "03-1234-5678"),
        ("Vera Abernathy\n785 8949\n", "785 8949"),
        ("about volume 3?\n\nCheers,\nVera\n+1 872 555 0153", "+1 872 555 0153"),
        ("order 4411, phone 555 0199", "555 0199"),
        ("She reads the whole ticket. I noted (570) 555-0108.", "(570) 555-0108"),
    ],
)
def test_phone_by_what_stands_around_it(text: str, number: str) -> None:
    assert found(PhoneRecognizer(), text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "Order MA-7412345 came",
        "order number 2546712361",
        "tracking 5555 1234 9999",
        "my order 212-555-0147 is late",
        "It costs ¥1,200, or $12.50, or 1 200 000 yen",
        "delivered on 2024-01-08 or 08.01.2024 or 01/08/2024",
        "between 1999-2004 and 2001 2005",
        "ISBN 978-3-16-148410-0",
        "9783161484100",
        "vol. 12 to 15, chapters 101-120",
        "open 09:30-18:00, since 12:30",
        "TR8032760504",
        "size 210 297 mm",
        "2546712361",
        "pages 100-200 and 3.14159265",
        "100 200 300 points",
        "a 50-50 chance, 24/7",
    ],
)
def test_no_phone(text: str) -> None:
    assert found(PhoneRecognizer(), text) == []


@pytest.mark.parametrize("number", [CARD, "4929381332664295", "3782-822463-10005", "5555555555554444"])
def test_card(number: str) -> None:
    assert found(CardRecognizer(), f"my card {number}, please") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "4929381332664296",  # checksum
        "my order 1234567812345670",  # no issuer begins with 1
        "49293813326642950000000",
        "4929 3813 3266 4296 without a word about what it is",
    ],
)
def test_no_card(text: str) -> None:
    assert found(CardRecognizer(), text) == []


def test_card_with_a_slip_of_the_pen_where_it_is_named() -> None:
    assert found(CardRecognizer(), "the card is 4929 3813 3266 4296") == ["4929 3813 3266 4296"]


@given(st.text("0123456789", min_size=12, max_size=18))
def test_luhn_takes_one_of_ten_last_digits(digits: str) -> None:
    assert sum(luhn(digits + last) for last in "0123456789") == 1


def test_iban() -> None:
    assert found(IbanRecognizer(), f"to {IBAN} please") == [IBAN]
    assert found(IbanRecognizer(), "pay into de89370400440532013000.") == ["de89370400440532013000"]
    # Words of four letters after it do not belong to it.
    assert found(IbanRecognizer(), f"send to {IBAN} from your bank") == [IBAN]


@pytest.mark.parametrize(
    "text", ["GB82 WEST 1234 5698 7654 33", "TR62 9720 2463 needs", "MA12 3456 7890 1234", "ab12 cdef ghij"]
)
def test_no_iban(text: str) -> None:
    assert found(IbanRecognizer(), text) == []


def test_iban_with_a_slip_of_the_pen_where_it_is_named() -> None:
    assert found(IbanRecognizer(), "IBAN: GB82 WEST 1234 5698 7654 33") == ["GB82 WEST 1234 5698 7654 33"]


@given(st.integers(0, 21), st.sampled_from("0123456789"))
def test_iban_checksum_sees_every_wrong_digit(position: int, digit: str) -> None:
    iban = IBAN.replace(" ", "")
    changed = iban[:position] + digit + iban[position + 1 :]
    assert iban_is_valid(changed) == (changed == iban)


def test_ssn() -> None:
    assert found(SsnRecognizer(), "it is 078-05-1120") == ["078-05-1120"]
    assert found(SsnRecognizer(), "my SSN: 078 05 1120") == ["078 05 1120"]
    assert found(SsnRecognizer(), "social security number 078051120") == ["078051120"]


@pytest.mark.parametrize(
    "text", ["000-12-3456", "666-12-3456", "912-12-3456", "078-00-1120", "078051120", "order 078-05-1120"]
)
def test_no_ssn(text: str) -> None:
    assert found(SsnRecognizer(), text) == []


def test_driver_license_only_where_it_is_named() -> None:
    recognizer = DriverLicenseRecognizer()
    assert found(recognizer, "My driver's license number is A125325867") == ["A125325867"]
    assert found(recognizer, "driving licence: 950735093") == ["950735093"]
    assert found(recognizer, "The licence of the artbook: see A125325867, 950735093") == []
