"""A conversation is kept when enough of the five checks are passed."""

from collections.abc import Sequence

import numpy as np
import pytest

from common.chat import Message
from common.retrieval import Passage
from data_pipeline.pii.config import PiiConfig
from data_pipeline.pii.engine import load_engine
from data_pipeline.synthetic.answers import Answering
from data_pipeline.synthetic.checks import Candidate, Examination
from data_pipeline.synthetic.config import Checks
from data_pipeline.synthetic.personal import Personal
from tests.data_pipeline.synthetic.writing import conversation, passages, request

ASKED = "How many days do I have to send back a novel that I do not want?"
ANSWERED = "You can return it within 30 days of delivery, as long as it is unread."


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Passage]:
    return passages(tmp_path_factory.mktemp("synthetic") / "kb")


class Meaning:
    """An embedder whose vectors are counts of a few words: what shares none of them is far apart."""

    words = ("return", "days", "delivery", "voucher", "pizza")
    dim, truncated = len(words) + 1, 0

    def embed(self, texts: Sequence[str], *, normalise: bool = True) -> np.ndarray:
        rows = [[text.lower().count(word) for word in self.words] + [0.01] for text in texts]
        vectors = np.array(rows, dtype=np.float32).reshape(-1, self.dim)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def examination(
    kb: dict[str, Passage],
    checks: Checks,
    answering: Answering | None = None,
    languages: Sequence[str] = ("en",),
) -> Examination:
    given_ = [*kb.values()]
    answering = answering or Answering(checks, given_, Meaning(), None)
    return Examination(
        checks, languages, given_, answering, Personal(load_engine(PiiConfig(detector=None)).find, given_)
    )


def candidate(kb: dict[str, Passage], *contents: str, number: int = 0, language: str = "en") -> Candidate:
    return Candidate(request(kb["returns"], number=number, language=language), conversation(*contents))


def examined(
    kb: dict[str, Passage], checks: Checks, *candidates: Candidate, existing: Sequence[Sequence[Message]] = ()
) -> Examination:
    done = examination(kb, checks)
    done.examine(candidates, existing)
    return done


def test_all_five_passed(kb: dict[str, Passage]) -> None:
    good = candidate(kb, "May I return a book, and in how many days after delivery?", ANSWERED)
    assert examined(kb, Checks(), good).is_kept(good)
    assert good.passed == ["form", "grounded", "answers", "personal_data", "original"]
    assert (good.failed, good.not_measured, good.answers_by) == ({}, {}, "embedding")


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ((ASKED, "You can return"), "form: cut"),
        ((ASKED, "You have 60 days for the return after delivery."), "grounded: not_in_passage"),
        (("Do you bake pizza, and what pizza is the best pizza of all?", ANSWERED), "answers: off_topic"),
        ((f"{ASKED} I am at jo@mail.example.", ANSWERED), "personal_data: found: EMAIL_ADDRESS"),
        (
            (
                "In how many days can I return unread books after the delivery?",
                "Unread books can be returned within 30 days of delivery. A return costs $4.50, which we "
                "keep from the refund. The label lies in the parcel, on the list of books.",
            ),
            "original: copies_passage",
        ),
    ],
)
def test_one_failure_of_five_rejects(kb: dict[str, Passage], contents: Sequence[str], reason: str) -> None:
    bad = candidate(kb, *contents)
    assert not examined(kb, Checks(min_coherence=0.6), bad).is_kept(bad)
    assert bad.reason == reason


def test_with_four_one_may_fail_but_neither_form_nor_personal_data(kb: dict[str, Passage]) -> None:
    checks = Checks(min_checks=4)
    wrong = candidate(
        kb, "May I return a book, in how many days after delivery?", "You have 60 days for the return."
    )
    assert examined(kb, checks, wrong).is_kept(wrong)
    assert (wrong.passed, wrong.failed) == (
        ["form", "answers", "personal_data", "original"],
        {"grounded": "not_in_passage"},
    )
    for contents in ((ASKED, "You can return"), (f"{ASKED} I am at jo@mail.example.", ANSWERED)):
        bad = candidate(kb, *contents)
        assert not examined(kb, checks, bad).is_kept(bad)


def test_what_is_not_measured_is_not_passed(kb: dict[str, Passage]) -> None:
    for min_checks, kept in ((5, False), (4, True)):
        checks = Checks(min_checks=min_checks)
        done = examination(kb, checks, Answering(checks, [*kb.values()], None, None))
        good = candidate(kb, ASKED, ANSWERED)
        done.examine([good], [])
        assert done.is_kept(good) == kept
        assert good.not_measured == {"answers": "no_judge_and_no_encoder"}
        assert good.answers_by is None


def test_in_a_language_that_the_encoder_does_not_know_answers_are_not_measured(
    kb: dict[str, Passage],
) -> None:
    checks = Checks(min_checks=4)
    done = examination(kb, checks, languages=("en", "ja"))
    said = (
        "本を返品できるのは何日以内ですか?教えてください。",
        "お届けから30日以内であれば、未読の本を返品できます。",
    )
    japanese = candidate(kb, *said, language="ja")
    done.examine([japanese], [])
    assert done.is_kept(japanese)
    assert japanese.not_measured == {"answers": "language_unknown_to_encoder"}


def test_the_earlier_one_of_two_copies_is_kept_if_it_is_kept_at_all(kb: dict[str, Passage]) -> None:
    asked = "May I return a book that I have not read, and in how many days after the delivery?"
    said = [(asked, "You have 60 days for the return."), (asked, ANSWERED), (f"Hi! {asked}", ANSWERED)]
    bad, first, second = (candidate(kb, *contents, number=n) for n, contents in enumerate(said))
    done = examined(kb, Checks(), bad, first, second)
    assert [done.is_kept(each) for each in (bad, first, second)] == [False, True, False]
    assert second.reason == "original: like_another: returns#1/1"
    again = candidate(kb, asked, ANSWERED)
    assert not examined(kb, Checks(), again, existing=[first.messages]).is_kept(again)
    assert again.reason == "original: like_existing_data"
