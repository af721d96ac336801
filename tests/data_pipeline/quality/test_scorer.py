import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.quality.config import Poisoning, QualityConfig
from data_pipeline.quality.dialogue import Dialogue
from data_pipeline.quality.embedding import Remembering
from data_pipeline.quality.scorer import Scorer
from data_pipeline.quality.scores import QualityScores
from data_pipeline.quality.tone import GOOD, ToneHead
from tests.data_pipeline.quality.company import PASSAGES, Words, dialogue

ASKED = "Can I return my tent? It is unused and in its bag."
GOOD_TALK = dialogue(
    ASKED,
    "Hi! Tents can be returned within 30 days of delivery, unused and in their bag. The label costs $6.",
    "Great, thanks!",
    "You're welcome!",
    fields={"status": "solved", "csat": "good"},
)


def replied(reply: str, **settings: object) -> Dialogue:
    return dialogue(ASKED, reply, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def by_words() -> Scorer:
    return Scorer(QualityConfig(), PASSAGES)


@pytest.fixture(scope="module")
def with_vectors() -> Scorer:
    return Scorer(QualityConfig(), PASSAGES, Words())


def one(scorer: Scorer, talk: Dialogue) -> QualityScores:
    [found] = scorer.score([talk])
    return found


def test_a_good_conversation(with_vectors: Scorer) -> None:
    found = one(with_vectors, GOOD_TALK)
    assert (found.components["resolution"], found.components["csat"]) == (1.0, 1.0)
    assert found.components["factuality"] == 1.0
    assert (found.coherence_by, found.factuality_by, found.flags) == ("embedding", "rules", ())
    assert found.score is not None and found.score > 0.6


def test_without_an_encoder_coherence_is_not_measured(by_words: Scorer) -> None:
    found = one(by_words, GOOD_TALK)
    assert (found.components["coherence"], found.coherence_by) == (None, None)
    assert (found.components["politeness"], found.components["factuality"]) == (1.0, 1.0)
    assert by_words.score_and_embed([GOOD_TALK])[1] is None


def test_without_a_knowledge_base_facts_are_not_measured() -> None:
    found = one(Scorer(QualityConfig()), replied("Tents can be returned within 3 days."))
    assert (found.components["factuality"], found.factuality_by, found.flags) == (None, None, ())


@pytest.mark.parametrize(
    ("reply", "flag"),
    [
        ("Tents can be returned within 3 days of delivery.", "contradiction"),
        ("Stop whining about your tent.", "rude"),
        ("That is your own fault. You should have read the label of the tent.", "blames_customer"),
        ("Tell me your password, then I return the tent.", "asks_for_secrets"),
        ("I promise that we take back every tent forever, whatever it costs.", "impossible_promise"),
        ("Maybe. It depends, perhaps it can be returned somehow.", "vague"),
    ],
)
def test_flags(by_words: Scorer, reply: str, flag: str) -> None:
    found = one(by_words, replied(reply))
    assert found.flags == (flag,)
    good = one(by_words, replied("Tents can be returned within 30 days of delivery."))
    assert found.score is not None and good.score is not None and found.score < good.score


def test_off_the_topic_is_flagged_by_coherence() -> None:
    never = Scorer(QualityConfig(off_topic_below=0.0), PASSAGES, Words())
    always = Scorer(QualityConfig(off_topic_below=1.0), PASSAGES, Words())
    talk = replied("Express is 1 day and costs $12.")
    assert "off_topic" not in one(never, talk).flags
    assert "off_topic" in one(always, talk).flags


def test_a_fault_in_any_reply_counts(by_words: Scorer) -> None:
    talk = dialogue(*(message["content"] for message in GOOD_TALK.messages), "And?", "Deal with it.")
    assert one(by_words, talk).flags == ("rude",)


def test_poison_is_flagged_for_untrusted_sources() -> None:
    scorer = Scorer(QualityConfig(poisoning=Poisoning(untrusted_sources=("forum",))), PASSAGES)
    assert one(scorer, replied("See https://evil.example", source="forum")).flags == ("link",)
    assert one(scorer, replied("See https://evil.example", source="desk")).flags == ()


def test_other_languages_are_not_read(with_vectors: Scorer) -> None:
    talk = dialogue("Wo?", "Deal with it.", fields={"csat": "bad"}, language="de")
    found = one(with_vectors, talk)
    assert {name for name, value in found.components.items() if value is not None} == {"csat"}
    assert (found.score, found.flags) == (0.0, ())


def test_nothing_to_measure(by_words: Scorer) -> None:
    found = one(by_words, dialogue("Hello?"))
    assert found.score is None
    assert set(found.components.values()) == {None}


def test_the_embedding_is_of_question_and_reply(with_vectors: Scorer) -> None:
    scores, vectors = with_vectors.score_and_embed([GOOD_TALK, dialogue("Hello?")])
    assert vectors is not None and (vectors.dtype, vectors.shape) == (np.float16, (2, Words.dim))
    asked, said = Words().embed([ASKED, GOOD_TALK.turns[0].text])
    expected = (asked + said) / np.linalg.norm(asked + said)
    assert vectors[0] == pytest.approx(expected.astype(np.float16))
    assert not vectors[1].any()
    assert len(scores) == 2


TALKS = [
    GOOD_TALK,
    replied("Deal with it."),
    replied("Tents can be returned within 3 days."),
    dialogue("Where is the hall?", "At Mill Lane.", cut=["ty"]),
    dialogue("Hello?"),
]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, len(TALKS) - 1), min_size=1, max_size=8), st.integers(1, 8))
def test_scores_do_not_depend_on_batches(with_vectors: Scorer, places: list[int], size: int) -> None:
    alone = [one(with_vectors, TALKS[place]) for place in places]
    together: list[QualityScores] = []
    for start in range(0, len(places), size):
        together += with_vectors.score([TALKS[place] for place in places[start : start + size]])
    assert together == alone


def test_each_text_is_embedded_once() -> None:
    words = Words()
    scorer = Scorer(QualityConfig(), PASSAGES, words)
    words.texts.clear()
    scorer.score([GOOD_TALK, GOOD_TALK])
    assert words.texts == [ASKED, GOOD_TALK.turns[0].text]


def test_remembering_forgets_the_batch_before() -> None:
    words = Words()
    vectors = Remembering(words)
    vectors.remember(["tent", "bag"])
    vectors.remember(["bag", "pole"])
    assert words.texts == ["tent", "bag", "pole"]
    assert vectors.embed(["bag", "pole"]).shape == (2, Words.dim)
    assert words.texts == ["tent", "bag", "pole"]
    with pytest.raises(KeyError):
        vectors.one("tent")


def test_tone_head_tells_its_own_examples_apart() -> None:
    head = ToneHead(Words(), ["Tents can be returned within 30 days of delivery."])
    assert set(head.kinds) == {
        GOOD, "rude", "blames_customer", "vague", "asks_for_secrets", "impossible_promise", "off_topic",
    }  # fmt: skip
    texts = ["Please send me your password.", "Tents can be returned within 30 days of delivery."]
    secret, good = head.probabilities(Words().embed(texts))
    assert max(secret, key=lambda kind: secret[kind]) == "asks_for_secrets"
    assert max(good, key=lambda kind: good[kind]) == GOOD
    assert sum(good.values()) == pytest.approx(1.0)


def test_metadata_is_plain(with_vectors: Scorer) -> None:
    values = one(with_vectors, GOOD_TALK).as_metadata()
    assert {"resolution", "csat", "coherence", "factuality", "politeness", "originality"} < set(values)
    assert (values["flags"], values["coherence_by"]) == ([], "embedding")
    assert isinstance(values["score"], float)
