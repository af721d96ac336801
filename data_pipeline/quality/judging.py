"""Coherence and accuracy of the main reply by a language model, where one is configured."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.judge import Case, Judge
from data_pipeline.quality.dialogue import Dialogue

COHERENCE = "does it answer what the customer asks, and does it belong to this conversation?"
ACCURACY = (
    "is every fact in it (days, amounts, names, conditions) right? A fact that contradicts the passages is "
    "wrong, and one that neither they nor the conversation hold is unproven: at most 3."
)


@dataclass(frozen=True)
class Verdicts:
    """0 to 1 each; None = not asked, or unscored for the reason `unjudged`."""

    coherence: float | None = None
    accuracy: float | None = None
    unjudged: str | None = None


def judged(
    judge: Judge, dialogues: Sequence[Dialogue], passages: Sequence[Sequence[str] | None]
) -> list[Verdicts]:
    """Verdicts on the main replies, one request each; what was judged before comes from the judge's cache.

    Accuracy is asked where there are passages; a dialogue without a question is not asked about.
    """
    verdicts = [Verdicts()] * len(dialogues)
    for with_facts in (True, False):
        criteria = {"coherence": COHERENCE} | ({"accuracy": ACCURACY} if with_facts else {})
        asked = [
            place
            for place, dialogue in enumerate(dialogues)
            if (passages[place] is not None) == with_facts and dialogue.main and dialogue.main.question
        ]
        cases = [_case(dialogues[place], passages[place] or ()) for place in asked]
        for place, verdict in zip(asked, judge.score(cases, criteria), strict=True):
            scores = {name: (value - 1) / 4 for name, value in (verdict.scores or {}).items()}
            verdicts[place] = Verdicts(scores.get("coherence"), scores.get("accuracy"), verdict.unscored)
    return verdicts


def _case(dialogue: Dialogue, passages: Sequence[str]) -> Case:
    assert dialogue.main is not None
    before = [said for said in dialogue.spoken[: dialogue.main.place] if said["role"] != "tool"]
    return Case(before, dialogue.main.reply, passages)
