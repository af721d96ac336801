"""What is written in the place of personal data."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UserError
from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.engine import PiiEngine
from data_pipeline.pii.nested import texts_in, with_texts
from data_pipeline.pii.operators import deanonymize, make_operator
from data_pipeline.pii.pseudonyms import Pseudonyms
from data_pipeline.pii.scrub import Scrubbed, Scrubber
from tests.data_pipeline.pii.fake import FakeDetector

KEY = "0123456789abcdef"
KNOWN = {"Kenji": "PERSON", "Leeds": "LOCATION", "Kumori Press": "ORGANIZATION"}
CONVERSATION = [
    "Hi, my name is Yuki Tanaka, call me on +1 630 555 0129. Order MA-1234567.",
    "Hello Yuki,\nthis is Grace from the shop. Is it 12 Inkwell Lane, Apt 4, Larkmoor 00012?",
    "Yes. Ask Kenji in Leeds.\n\nRegards,\nyuki tanaka\n555-0142",
    "Dear Mr. Field, YUKI TANAKA is at jo@example.org, 田中様",
]


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PII_SECRET", KEY)


def _config(**changes: object) -> PiiConfig:
    return PiiConfig.model_validate({"detector": None, "patterns": {"ORDER_NUMBER": r"MA-\d{7}"}, **changes})


def _scrub(config: PiiConfig, texts: list[str]) -> Scrubbed:
    [scrubbed] = Scrubber(config, PiiEngine(config, FakeDetector(KNOWN))).scrub([texts])
    return scrubbed


def test_placeholders() -> None:
    scrubbed = _scrub(_config(), CONVERSATION)
    assert scrubbed.texts == [
        "Hi, my name is [NAME], call me on [PHONE]. Order [ORDER_NUMBER].",
        "Hello [NAME],\nthis is [NAME] from the shop. Is it [ADDRESS]?",
        "Yes. Ask [NAME] in [PLACE].\n\nRegards,\n[NAME]\n[PHONE]",
        "Dear [NAME], [NAME] is at [EMAIL], [NAME]様",
    ]
    assert scrubbed.counts == {
        "PERSON": 8, "PHONE_NUMBER": 2, "ADDRESS": 1, "LOCATION": 1, "EMAIL_ADDRESS": 1, "ORDER_NUMBER": 1
    }  # fmt: skip


def test_pseudonyms_in_reading_order() -> None:
    assert _scrub(_config(pseudonyms=True), CONVERSATION).texts == [
        "Hi, my name is [NAME_1], call me on [PHONE_1]. Order [ORDER_NUMBER_1].",
        "Hello [NAME_1],\nthis is [NAME_2] from the shop. Is it [ADDRESS_1]?",
        "Yes. Ask [NAME_3] in [PLACE_1].\n\nRegards,\n[NAME_1]\n[PHONE_2]",
        "Dear [NAME_4], [NAME_1] is at [EMAIL_1], [NAME_5]様",
    ]


def test_pseudonyms_begin_anew_in_each_conversation() -> None:
    config = _config(pseudonyms=True)
    scrubber = Scrubber(config, PiiEngine(config, FakeDetector(KNOWN)))
    both = scrubber.scrub([["Dear Ana,"], ["Dear Jo,", "Dear Ana,"]])
    assert [scrubbed.texts for scrubbed in both] == [["Dear [NAME_1],"], ["Dear [NAME_1],", "Dear [NAME_2],"]]


def test_a_name_is_found_again_in_the_whole_conversation() -> None:
    texts = ["Will it rain? Amara will see. AMARA VARGA, amara varga, amara", "Regards,\nAmara Varga"]
    assert _scrub(_config(), texts).texts == [
        "Will it rain? [NAME] will see. [NAME], [NAME], amara",
        "Regards,\n[NAME]",
    ]


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["Yuki Tanaka", "Yuki", "tanaka", "YUKI TANAKA"], [1, 1, 1, 1]),
        (["Yuki", "Yuki Tanaka", "Tanaka"], [1, 1, 1]),
        (["Yuki Tanaka", "Ken Tanaka", "Tanaka", "Yuki", "Tanaka"], [1, 2, 3, 1, 3]),
        (["Yuki", "Yuki Tanaka", "Yuki Sato"], [1, 1, 2]),
        (["田中太郎", "田中"], [1, 1]),
        (["O'Dell", "O'Dell, Jane"], [1, 1]),
    ],
)
def test_who_is_who(values: list[str], numbers: list[int]) -> None:
    pseudonyms = Pseudonyms()
    assert [pseudonyms("PERSON", value) for value in values] == [f"[NAME_{number}]" for number in numbers]


def test_other_values_are_the_same_by_their_letters_and_digits() -> None:
    pseudonyms = Pseudonyms()
    values = ["555-0142", "555 0142", "555-0143"]
    assert [pseudonyms("PHONE_NUMBER", value) for value in values] == ["[PHONE_1]", "[PHONE_1]", "[PHONE_2]"]


def test_mask() -> None:
    assert _scrub(_config(operator="mask"), ["mail jo@example.org!"]).texts == ["mail **************!"]


def test_hash_depends_on_value_and_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config(operator="hash", secret="PII_SECRET")
    texts = ["jo@example.org jo@example.org mia@example.org"]
    [first] = _scrub(config, texts).texts
    one, again, other = first.split()
    assert one == again != other
    assert one.startswith("[EMAIL:") and len(one) == len("[EMAIL:]") + 16
    assert _scrub(config, texts).texts == [first]
    monkeypatch.setenv("PII_SECRET", KEY[::-1])
    assert _scrub(config, texts).texts != [first]


@given(st.lists(st.text(max_size=60) | st.sampled_from(CONVERSATION), max_size=4))
@settings(max_examples=50)
def test_encrypt_and_deanonymize(texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PII_SECRET", KEY)
        config = _config(operator="encrypt", secret="PII_SECRET")
        scrubbed = _scrub(config, texts).texts
        assert scrubbed == _scrub(config, texts).texts
        assert [deanonymize(text, config) for text in scrubbed] == texts


def test_presidio_decrypts_what_encrypt_writes() -> None:
    from presidio_anonymizer.operators import Decrypt

    written = make_operator(_config(operator="encrypt", secret="PII_SECRET"))("PERSON", "Jo Field")
    assert Decrypt().operate(written.removeprefix("[NAME:").removesuffix("]"), {"key": KEY}) == "Jo Field"


def test_the_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config(operator="encrypt", secret="PII_SECRET")
    scrubbed = _scrub(config, ["Dear Jo Field,"]).texts[0]
    assert "Jo Field" not in scrubbed
    monkeypatch.setenv("PII_SECRET", KEY[::-1])
    with pytest.raises(UserError, match="can't be decrypted"):
        deanonymize(scrubbed, config)


@pytest.mark.parametrize(
    ("operator", "secret", "reason"),
    [
        ("hash", "short", "the salt has 5 bytes"),
        ("encrypt", "x" * 17, "the key has 17 bytes"),
        ("encrypt", None, "PII_SECRET is not set"),
    ],
)
def test_secrets_that_will_not_do(
    monkeypatch: pytest.MonkeyPatch, operator: str, secret: str | None, reason: str
) -> None:
    if secret is None:
        monkeypatch.delenv("PII_SECRET")
    else:
        monkeypatch.setenv("PII_SECRET", secret)
    with pytest.raises(UserError, match=reason):
        make_operator(_config(operator=operator, secret="PII_SECRET"))


_PIECES = st.sampled_from(
    ["Dear ", "Kenji", " Leeds", "Kumori Press", ", ", "\n", " ", ".", "12 Inkwell Lane", "555-0142",
     "jo@example.org", "MA-1234567", "田中様", "Regards,\n", "Jo Field", "[NAME]", "[NAME_3]", "call ", "1",
     "+1 630 555 0129", "born 1984", "4111 1111 1111 1111", "https://a.example/x", "aged 34", "Mr. ",
     "name: ", "zip 94107", "192.0.2.1", "-san"]
)  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=10).map("".join)


@pytest.mark.parametrize(
    "changes",
    [{}, {"pseudonyms": True}, {"operator": "mask"}, {"operator": "hash", "secret": "PII_SECRET"}],
    ids=["replace", "pseudonyms", "mask", "hash"],
)
@given(texts=st.lists(_TEXTS | st.text(max_size=40), max_size=3))
@settings(max_examples=60)
def test_a_second_pass_finds_nothing_new(changes: dict[str, object], texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PII_SECRET", KEY)
        config = _config(**changes)
        once = _scrub(config, texts)
        twice = _scrub(config, once.texts)
        assert twice.texts == once.texts
        assert not twice.counts


@given(st.lists(st.lists(_TEXTS, max_size=3), max_size=4))
@settings(max_examples=40)
def test_a_conversation_does_not_depend_on_its_batch(conversations: list[list[str]]) -> None:
    config = _config(pseudonyms=True)
    scrubber = Scrubber(config, PiiEngine(config, FakeDetector(KNOWN)))
    assert scrubber.scrub(conversations) == [scrubber.scrub([texts])[0] for texts in conversations]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_nested_texts_go_back_where_they_were(value: object) -> None:
    texts = list(texts_in(value))
    assert with_texts(value, iter(texts)) == value
    replaced = json.dumps(with_texts(value, iter(["*"] * len(texts))))
    assert list(texts_in(json.loads(replaced))) == ["*"] * len(texts)
