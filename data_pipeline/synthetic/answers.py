"""Check 3: the answers answer what is asked; by a judge, or else by embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from common.encoder import Embedder
from common.retrieval import Passage
from data_pipeline.quality.config import QualityConfig
from data_pipeline.quality.dialogue import Dialogue
from data_pipeline.quality.judging import judged
from data_pipeline.quality.scorer import Scorer
from data_pipeline.synthetic.config import Checks

if TYPE_CHECKING:
    from common.judge import Judge

By = Literal["judge", "embedding"]


@dataclass(frozen=True)
class Answered:
    """What check 3 found.

    Attributes:
        passed: None where it was not measured.
        by: who measured it.
        reason: why it is not passed.
        value: coherence, 0 to 1.
    """

    passed: bool | None
    by: By | None = None
    reason: str | None = None
    value: float | None = None


class Answering:
    """Asks the judge where there is one. It also says whether the facts are those of the passages.

    Without a judge it is the coherence of Level 2 (`data_pipeline.quality.coherence`), which is measured in
    the languages that the encoder understands.
    """

    def __init__(
        self, checks: Checks, passages: Sequence[Passage], encoder: Embedder | None, judge: "Judge | None"
    ) -> None:
        self._checks = checks
        self._judge = judge
        # One text at a time, so that a value does not depend on the batch.
        self._scorer = (
            Scorer(QualityConfig(), passages, encoder) if encoder is not None and not judge else None
        )

    def check(self, dialogues: Sequence[Dialogue], given: Sequence[Sequence[Passage]]) -> list[Answered]:
        """One result a dialogue, in their order."""
        if self._judge is not None:
            return self._by_judge(self._judge, dialogues, given)
        if self._scorer is None:
            return [Answered(None, reason="no_judge_and_no_encoder")] * len(dialogues)
        return [
            self._by_embedding(scores.components["coherence"]) for scores in self._scorer.score(dialogues)
        ]

    def _by_judge(
        self, judge: "Judge", dialogues: Sequence[Dialogue], given: Sequence[Sequence[Passage]]
    ) -> list[Answered]:
        texts = [[passage.text for passage in passages] for passages in given]
        results = []
        for verdict in judged(judge, dialogues, texts):
            if verdict.coherence is None or verdict.accuracy is None:
                results.append(Answered(None, "judge", f"unscored: {verdict.unjudged}"))
                continue
            reason = None
            if verdict.coherence < self._checks.min_judged:
                reason = "off_topic"
            elif verdict.accuracy < self._checks.min_judged:
                reason = "inaccurate"
            results.append(Answered(reason is None, "judge", reason, verdict.coherence))
        return results

    def _by_embedding(self, coherence: float | None) -> Answered:
        if coherence is None:
            return Answered(None, reason="language_unknown_to_encoder")
        if coherence < self._checks.min_coherence:
            return Answered(False, "embedding", "off_topic", coherence)
        return Answered(True, "embedding", None, coherence)
