import random
import subprocess
import sys
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.pii.ner import EMBEDDED, load_detector
from data_pipeline.pii.ner.tags import TAGS
from data_pipeline.pii.ner.tokens import tokenize
from data_pipeline.pii.spans import Detector, Span


@cache
def detector() -> Detector:
    return load_detector("embedded")


def found(text: str) -> list[tuple[str, str]]:
    return [(text[s.start : s.end], s.entity_type) for s in detector().find([text])[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, my name is Oluwaseun Adeyemi and my parcel is late.", [("Oluwaseun Adeyemi", "PERSON")]),
        ("hi this is marta kowalska, can you call me back?", [("marta kowalska", "PERSON")]),
        ("Dear Tomasz,\nthank you for your message.", [("Tomasz", "PERSON")]),
        ("it still does not work.\n\nBest regards,\nGrace Whitfield", [("Grace Whitfield", "PERSON")]),
        ("Priya's card is blocked.", [("Priya", "PERSON")]),
        ("I live in Rotterdam.", [("Rotterdam", "LOCATION")]),
        ("We moved from Kenya to Portugal.", [("Kenya", "LOCATION"), ("Portugal", "LOCATION")]),
        ("I work at Hartmann Logistics GmbH.", [("Hartmann Logistics GmbH", "ORGANIZATION")]),
        ("Send it to 48 Larkspur Avenue, Apt. 7, please.", [("48 Larkspur Avenue, Apt. 7", "ADDRESS")]),
        ("田中さん、ありがとう", [("田中", "PERSON")]),
        ("はじめまして、Kenji Mori です。", [("Kenji Mori", "PERSON")]),
    ],
)
def test_planted_names_places_and_addresses_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_an_address_over_several_lines_is_one_span() -> None:
    text = "Ship to:\nJoanna Petit\n17 Rue des Lilas\nApt. 4\n69003 Lyon\n\nThanks!"

    spans = found(text)

    assert ("Joanna Petit", "PERSON") in spans
    assert ("17 Rue des Lilas\nApt. 4\n69003 Lyon", "ADDRESS") in spans


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n ",
        "How do I top up my card?",
        "The ATM did not return my Mastercard, what now?",
        "Do you accept Visa and Apple Pay?",
        "where is my order",
        "When is volume 12 back in stock?",
        "Hi there! Thanks, that helped.",
        "Our support is open Monday to Friday, 9 am to 5 pm.",
        "will it arrive in may?",
        "I WANT A REFUND!!!",
        "注文が届きません。",
        "Please allow 3 to 5 business days.",
    ],
)
def test_clean_sentences_give_nothing(text: str) -> None:
    assert found(text) == []


def test_a_texts_spans_depend_on_that_text_alone() -> None:
    texts = [
        "Ask Jane Field in Leeds.",
        "no names here",
        "Dr. Okafor lives at 12 Mill Lane, Bath.",
        "",
        "thanks bob " * 50,
    ]
    alone = [detector().find([text])[0] for text in texts]

    assert detector().find(texts) == alone
    assert detector().find(texts[::-1]) == alone[::-1]
    assert load_detector().find(texts) == alone


def test_a_very_long_text_is_read_to_its_end() -> None:
    sentence = "My name is Jane Field and I live in Leeds. Where is my order? "
    text = sentence * 400

    spans = detector().find([text])[0]

    names = [span for span in spans if text[span.start : span.end] == "Jane Field"]
    assert len(names) == 400
    assert all(one.end <= two.start for one, two in pairwise(spans))


def test_windows_change_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    from data_pipeline.pii.ner import tagger
    from data_pipeline.pii.ner.network import DILATIONS, REACH

    assert tagger._MARGIN > REACH
    assert max(DILATIONS) <= tagger._GAP
    own = tagger.TaggerDetector(EMBEDDED)
    tokens = tokenize("My name is Jane Field and I live in Leeds. " * 12)
    [whole] = own.scores([tokens])
    monkeypatch.setattr(tagger, "_WINDOW", 17)

    assert abs(next(own.scores([tokens])) - whole).max() < 1e-3


@settings(deadline=None)
@given(
    st.lists(
        st.text(max_size=60) | st.sampled_from(["", "Jane", "Hi, I am Jo Field in Leeds. " * 30]), max_size=30
    )
)
def test_texts_that_are_read_together_change_no_bit_of_each_others_scores(texts: list[str]) -> None:
    from data_pipeline.pii.ner.tagger import TaggerDetector

    own = detector()
    assert isinstance(own, TaggerDetector)
    tokens = [tokenize(text) for text in texts]
    together = list(own.scores(tokens))
    assert len(together) == len(texts)
    for each, scores in zip(tokens, together, strict=True):
        assert scores.shape == (len(each.words), len(TAGS))
        assert scores.tobytes() == next(own.scores([each])).tobytes()


def test_scores_are_probabilities() -> None:
    spans = detector().find(["Kind regards, Jane Field, Leeds, Acme Holdings Ltd."])[0]

    assert spans
    assert all(isinstance(span, Span) and 0 < span.score <= 1 for span in spans)


def test_the_model_is_small_and_loads_without_torch() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.iterdir()) < 10_000_000
    code = (
        "import sys; from data_pipeline.pii.ner import load_detector; load_detector().find(['Hi Jane']);"
        "print([name for name in ('torch', 'spacy', 'transformers', 'faker') if name in sys.modules])"
    )

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert output.strip() == "[]"


@pytest.mark.slow
def test_memory_stays_flat_over_ever_new_words() -> None:
    def resident() -> int:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    rng = random.Random(1)

    def text() -> str:
        words = ("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(12))
        return f"My name is {' '.join(words)}"

    own = load_detector()
    for _ in range(6_000):  # fills the bounded cache of words once
        own.find([text()])
    before = resident()
    for _ in range(20_000):
        own.find([text()])

    assert resident() - before < 12_000  # KiB
