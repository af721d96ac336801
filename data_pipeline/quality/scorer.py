"""Scores conversations, a batch at a time; the result of one does not depend on the others of its batch."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from common.encoder import Embedder
from common.retrieval import Passage
from data_pipeline.quality.config import Component, QualityConfig
from data_pipeline.quality.dialogue import Dialogue
from data_pipeline.quality.embedding import Remembering
from data_pipeline.quality.factuality import factuality
from data_pipeline.quality.judging import Verdicts, judged
from data_pipeline.quality.knowledge import Knowledge
from data_pipeline.quality.outcome import csat, resolution
from data_pipeline.quality.phrases import BLAMES, PROMISE, RUDE, SECRETS, VAGUE
from data_pipeline.quality.poisoning import poison
from data_pipeline.quality.reading import Reader
from data_pipeline.quality.scores import CONTRADICTION, DIGITS, OFF_TOPIC, By, QualityScores, combine

if TYPE_CHECKING:
    from common.judge import Judge

_PASSAGES_FOR_JUDGE = 4
"""Of up to 120 words each. Of whole conversations, the right article is the best in 9 of 10 cases."""
_ACCURATE, _WRONG = 0.75, 0.25
"""A judge's 4 of 5 overrules a contradiction that rules found; a 2 is one by itself."""
_NO_COMPONENT = (SECRETS, PROMISE)
"""Faults that no component counts."""


@dataclass(frozen=True)
class _Facts:
    """Factuality by rules, and the passages about a dialogue; None where there is no knowledge base."""

    value: float | None = None
    passages: tuple[str, ...] | None = None


class Scorer:
    """Level 2.

    Args:
        passages: of the company's knowledge base; without any, factuality is not measured.
        encoder: should embed each text by itself, or the last digits depend on the batch; without one,
            coherence is not measured, and tone by phrases alone.
    """

    def __init__(
        self, config: QualityConfig, passages: Sequence[Passage] = (), encoder: Embedder | None = None
    ) -> None:
        self.config = config
        self._judge: Judge | None = None
        self._vectors = Remembering(encoder) if encoder else None
        self._knowledge = Knowledge(passages, self._vectors) if passages else None
        self._reader = Reader(encoder, self._vectors, self._knowledge)

    def judged_by(self, judge: "Judge | None") -> Self:
        """The same scorer with a judge, which gives coherence and factuality in the place of the rules."""
        other = copy(self)
        other._judge = judge
        return other

    def score(self, dialogues: Sequence[Dialogue]) -> list[QualityScores]:
        """The scores of each dialogue, in their order."""
        return self.score_and_embed(dialogues)[0]

    def score_and_embed(
        self, dialogues: Sequence[Dialogue]
    ) -> tuple[list[QualityScores], NDArray[np.float16] | None]:
        """The scores, and vectors of length 1, shape (dialogues, dim); None without an encoder."""
        if self._vectors is not None:
            self._vectors.remember([text for dialogue in dialogues for text in _texts(dialogue)])
        facts = [self._facts(dialogue) for dialogue in dialogues]
        verdicts = [Verdicts()] * len(dialogues)
        if self._judge is not None:
            verdicts = judged(self._judge, dialogues, [found.passages for found in facts])
        scores = [self._one(*each) for each in zip(dialogues, facts, verdicts, strict=True)]
        return scores, self._embeddings(dialogues)

    def _facts(self, dialogue: Dialogue) -> _Facts:
        if self._knowledge is None or dialogue.main is None:
            return _Facts()
        scores = self._knowledge.scores(dialogue.main.text, words=dialogue.text)
        passages = tuple(self._knowledge.best(scores, _PASSAGES_FOR_JUDGE))
        if not self._understands(dialogue):
            return _Facts(passages=passages)
        articles = np.maximum(0.0, self._knowledge.by_article(scores))
        findings = self._knowledge.check.findings(dialogue, articles / max(1e-9, float(articles.max())))
        return _Facts(factuality(findings), passages)

    def _understands(self, dialogue: Dialogue) -> bool:
        return dialogue.language is None or dialogue.language in self.config.languages

    def _one(self, dialogue: Dialogue, facts: _Facts, verdicts: Verdicts) -> QualityScores:
        main = dialogue.main
        reading = self._reader.read(dialogue, main) if main and self._understands(dialogue) else None
        components: dict[Component, float | None] = {
            "resolution": resolution(dialogue.fields, dialogue.last_words),
            "csat": csat(dialogue.fields, self.config.csat_best),
            "coherence": reading.coherence if reading else None,
            "factuality": facts.value,
            "politeness": reading.politeness if reading else None,
            "originality": reading.originality if reading else None,
        }
        coherence_by: By | None = None if components["coherence"] is None else "embedding"
        factuality_by: By | None = None if facts.value is None else "rules"
        if verdicts.coherence is not None:
            components["coherence"], coherence_by = verdicts.coherence, "judge"
        if verdicts.accuracy is not None:
            components["factuality"], factuality_by = verdicts.accuracy, "judge"
        faults = dict(reading.faults) if reading else {}
        other_fault = max((faults.get(fault, 0.0) for fault in _NO_COMPONENT), default=0.0)
        faults[CONTRADICTION] = self._contradiction(facts, verdicts)
        return QualityScores(
            components={name: _rounded(value) for name, value in components.items()},
            score=combine(components, other_fault, self.config),
            faults={name: round(value, DIGITS) for name, value in faults.items() if round(value, DIGITS)},
            flags=self._flags(dialogue, components, faults),
            coherence_by=coherence_by,
            factuality_by=factuality_by,
            unjudged=verdicts.unjudged,
        )

    def _contradiction(self, facts: _Facts, verdicts: Verdicts) -> float:
        """How sure it is that a reply contradicts the knowledge base."""
        if verdicts.accuracy is not None and verdicts.accuracy <= _WRONG:
            return 1.0
        if verdicts.accuracy is not None and verdicts.accuracy >= _ACCURATE:
            return 0.0
        return 0.0 if facts.value is None else 1.0 - facts.value

    def _flags(
        self, dialogue: Dialogue, components: dict[Component, float | None], faults: dict[str, float]
    ) -> tuple[str, ...]:
        flags = poison(dialogue, self.config.poisoning)
        flags |= {name for name in (SECRETS, PROMISE, VAGUE) if faults.get(name, 0.0) >= self.config.flag_at}
        impolite = {name: faults.get(name, 0.0) for name in (RUDE, BLAMES)}
        if sum(impolite.values()) >= self.config.flag_at:
            flags.add(max(impolite, key=lambda name: impolite[name]))
        if faults[CONTRADICTION] >= self.config.contradiction_at:
            flags.add(CONTRADICTION)
        coherence = components["coherence"]
        if coherence is not None and coherence < self.config.off_topic_below:
            flags.add(OFF_TOPIC)
        return tuple(sorted(flags))

    def _embeddings(self, dialogues: Sequence[Dialogue]) -> NDArray[np.float16] | None:
        """What is asked and what is answered count the same."""
        if self._vectors is None:
            return None
        rows = np.zeros((len(dialogues), self._vectors.dim), dtype=np.float32)
        for row, dialogue in zip(rows, dialogues, strict=True):
            for text in (dialogue.opening, dialogue.main.text if dialogue.main else ""):
                if text:
                    row += self._vectors.one(text)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return rows.astype(np.float16)


def _texts(dialogue: Dialogue) -> list[str]:
    """What of a dialogue is embedded: the first question, the one before the main reply, and that reply."""
    main = dialogue.main
    return [text for text in (dialogue.opening, main and main.question, main and main.text) if text]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
