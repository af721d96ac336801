"""Names by what stands around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.pii.recognizers.names import NameRecognizer
from data_pipeline.pii.recognizers.titles import TitleRecognizer
from tests.data_pipeline.pii.finding import found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dear Zoë Müller-Lüdenscheidt,\nthanks", "Zoë Müller-Lüdenscheidt"),
        ("Hi sven, where is it?", "sven"),
        ("Good evening Ximena!", "Ximena"),
        ("Yuki,\nI have set a search in motion", "Yuki"),
        ("My name is Donald van der Voet and I wait", "Donald van der Voet"),
        ("it is under my partner's name Lisa Leclair", "Lisa Leclair"),
        ("my name is brittney einarsdóttir.", "brittney einarsdóttir"),
        ("you can call me Ishmael", "Ishmael"),
        ("Hello Leo, this is Wren from the shop", "Wren"),
        ("Hi Elif, Bastian here. Sorry.", "Bastian"),
        ("This is Jane O'Dell calling", "Jane O'Dell"),
        ("Name: J. P. Field", "J. P. Field"),
        ("no reply.\n\nKind regards,\nPablo Kirchner\n555-0142", "Pablo Kirchner"),
        ("Best, \nmia", "mia"),
        ("--\nTomoko Ueda\nCustomer Care", "Tomoko Ueda"),
        ("On Friday, Wren Castillo wrote:\n> Hello", "Wren Castillo"),
        ("You're welcome, Ivan. Enjoy your books!", "Ivan"),
        ("> Hello Ruth!\n> Please", "Ruth"),
        ("the order is under Ethan Fairbanks.", "Ethan Fairbanks"),
        ("ask @jane_field about it", "@jane_field"),
    ],
)
def test_name(text: str, name: str) -> None:
    assert name in found(NameRecognizer(), text)


@pytest.mark.parametrize(
    "text",
    [
        "Dear customer, dear team, dear all,",
        "Hi there! Hello again. Hey guys, hi everyone.",
        "Thanks Again",
        "my name is wrong on the parcel",
        "my name is not on it. my name is misspelled!",
        "Please call me back. Call me Monday.",
        "This is Great from start to end",
        "It's Under the counter",
        "Regards\nYour order has arrived",
        "Thanks,\nwhere is my order?",
        "ok thankyou",
        "Neither a confirmation nor a name is needed",
        "under the same name as before",
        "signed by hand",
    ],
)
def test_no_name(text: str) -> None:
    assert found(NameRecognizer(), text) == []


@pytest.mark.parametrize(
    ("text", "title", "name"),
    [
        ("Dear Mr. Steven Parmentier,", "Mr.", "Steven Parmentier"),
        ("ask Dr Field about it", "Dr", "Field"),
        ("this is dr. christopher lundgren. who are you?", "dr.", "christopher lundgren"),
        ("mrs. smith called yesterday", "mrs.", "smith"),
        ("Frau Grün wartet", "Frau", "Grün"),
    ],
)
def test_title_and_name(text: str, title: str, name: str) -> None:
    assert found(TitleRecognizer(), text, "TITLE") == [title]
    assert found(TitleRecognizer(), text, "PERSON") == [name]


@pytest.mark.parametrize(
    "text",
    ["i miss you", "Miss Universe? miss it", "the doctor. I'm fine", "Sir, please", "Dear Sir or Madam"],
)
def test_no_title(text: str) -> None:
    assert found(TitleRecognizer(), text, "TITLE") in ([], ["Miss"])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("田中様、お世話になっております", "田中"),
        ("佐藤 花子さんへ", "佐藤 花子"),
        ("スミスさんから", "スミス"),
        ("Yukiさん、こんにちは", "Yuki"),
        ("ask Tanaka-san", "Tanaka"),
    ],
)
def test_the_name_before_an_honorific(text: str, name: str) -> None:
    assert found(TitleRecognizer(), text) == [name]


@pytest.mark.parametrize(
    "text",
    ["お客様", "皆様へ", "店員さん", "お母さん", "新品同様です", "仕様です", "様子を見る", "onii-chan"],
)
def test_honorifics_after_what_is_no_name(text: str) -> None:
    assert found(TitleRecognizer(), text) == []


@given(st.text(max_size=200))
def test_names_never_begin_or_end_with_white_space(text: str) -> None:
    for recognizer in (NameRecognizer(), TitleRecognizer()):
        assert all(name and name == name.strip() for name in found(recognizer, text))
