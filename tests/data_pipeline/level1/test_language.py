import gzip
import json
import socket
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.chat.messages import Message
from data_pipeline.level1.config import Languages
from data_pipeline.level1.language import Detection, LanguageDetector, detector, is_allowed

CONFIG = Languages()


def language(text: str) -> str | None:
    return detector(CONFIG).detect(text).language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("WHERE IS MY ORDER", "en"),
        ("isekai peak or mid?", "en"),
        ("ngl that arc was lowkey fire fr fr, no cap", "en"),
        ("any good yuri manga with a kuudere lead?", "en"),
        ("show me the shonen section pls", "en"),
        ("ok thx", "en"),
        ("Wo bleibt eigentlich mein Paket?", "de"),
        ("¿Dónde está mi pedido?", "es"),
        ("où est mon colis", "fr"),
        ("Quando chega a minha encomenda, por favor?", "pt"),
        ("где мой заказ", "ru"),
        ("siparişim ne zaman gelecek acaba", "tr"),
        ("我的订单什么时候到？", "zh"),
        ("제 주문은 언제 도착하나요?", "ko"),
        ("注文した本はいつ届きますか？", "ja"),
        ("『Moth Season』の3巻はいつ発売されますか？できれば初回限定版が欲しいです。", "ja"),
        ("注文MA-1234567はいつ届きますか", "ja"),
        ("Hi, when is the next volume out? 漫画が好きです", "ja-en"),
        ("ohayou! 画集はありますか？", "ja-en"),
        ("Hallo, 漫画が好きです, wann kommt meine Bestellung denn endlich an?", "ja-de"),
        ("is 進撃 in stock and does it ship today", "en"),  # a name, and no Japanese
        ("that ending ¯\\_(ツ)_/¯ was a strange one", "en"),
    ],
)
def test_languages(text: str, code: str) -> None:
    assert language(text) == code


@pytest.mark.parametrize(
    "text", ["", "12345", "👍🎉", "[NAME] [ORDER_NUMBER]", "https://example.com/de", "a@b.de", "?!"]
)
def test_no_words(text: str) -> None:
    assert detector(CONFIG).detect(text) == Detection(None, 0.0)


def test_what_is_no_word_does_not_count() -> None:
    bare = detector(CONFIG).detect("wo ist denn mein paket")
    dressed = (
        "Wo ist denn [NAME_1] mein MA-1234567 Paket https://shop.example.com/where/is 12 me@example.com?"
    )
    assert detector(CONFIG).detect(dressed) == bare
    assert str(bare) == f"de ({bare.confidence:.2f})"


def test_few_words_are_heard_with_the_answer() -> None:
    def conversation(*texts: str) -> str | None:
        roles = ("user", "assistant")
        messages = [Message(role=roles[index % 2], content=text) for index, text in enumerate(texts)]
        return detector(CONFIG).conversation(messages).language

    assert language("shonen or seinen?") == "de"
    assert (
        conversation("shonen or seinen?", "It is sold as seinen, for readers of sixteen and older.") == "en"
    )
    assert conversation("hola", "Buenos días, ¿en qué le puedo ayudar con su pedido?") == "es"
    assert conversation("Wo bleibt eigentlich mein Paket?", "I am sorry, could you write in English?") == "de"
    assert conversation("👍", "Wir wünschen einen schönen Tag") is None


@pytest.mark.parametrize(
    ("code", "kept"),
    [("en", True), ("ja", True), ("ja-en", True), ("de", False), ("ja-de", False), (None, True)],
)
def test_allowed(code: str | None, kept: bool) -> None:
    assert is_allowed(code, CONFIG) is kept


def test_allowed_by_config() -> None:
    german = Languages(allowed=("de",), keep_wordless=False)
    assert not is_allowed(None, german)
    assert not is_allowed("en", german)
    assert LanguageDetector(german).detect("guten tag").language == "de"
    alone = LanguageDetector(Languages(allowed=("en",), expected=()))
    assert alone.detect("hello").language == "en"


def test_unknown_language_in_config() -> None:
    with pytest.raises(ValidationError, match="'jp' is no language that can be told"):
        Languages(allowed=("jp",))


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("aé ツ漢한ñ[]@1\0\n", max_size=12))
@example("ク㝼하")
@example("a 漢")
def test_any_text_has_an_answer(text: str) -> None:
    found = detector(CONFIG).detect(text)
    assert 0 <= found.confidence <= 1
    assert detector(CONFIG).detect(text) == found


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert LanguageDetector(CONFIG).detect("nothing of this is fetched from anywhere").language == "en"


@pytest.mark.slow
@pytest.mark.public_data
def test_public_languages(public_data: Path) -> None:
    """Measured: .992 of sentences, .940 of word pairs (python -m benchmarks.language)."""
    lines = gzip.decompress((public_data / "langid" / "sample.jsonl.gz").read_bytes()).splitlines()
    rows = [json.loads(line) for line in lines][1::8]
    equal = LanguageDetector(Languages(allowed=tuple(sorted({row["lang"] for row in rows})), expected=()))
    right = defaultdict(list)
    for row in rows:
        right[row["kind"]].append(equal.detect(row["text"]).language == row["lang"])
    assert sum(right["sentences"]) >= 0.98 * len(right["sentences"])
    assert sum(right["word-pairs"]) >= 0.91 * len(right["word-pairs"])
