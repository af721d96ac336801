"""What the text of a conversation shows of its replies' manner, whatever is true and however it ended."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.encoder import Embedder
from data_pipeline.quality import phrases
from data_pipeline.quality.coherence import article_gap, coherence, raw_coherence
from data_pipeline.quality.dialogue import Dialogue, Turn
from data_pipeline.quality.embedding import Remembering
from data_pipeline.quality.knowledge import Array, Knowledge
from data_pipeline.quality.originality import originality
from data_pipeline.quality.sentences import sentences
from data_pipeline.quality.tone import ToneHead

FAULTS = (phrases.RUDE, phrases.BLAMES, phrases.SECRETS, phrases.PROMISE, phrases.VAGUE)


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        faults: how sure each of `FAULTS` is, 0 to 1.
        coherence: None without an encoder, or where nothing was asked.
    """

    faults: Mapping[str, float]
    originality: float
    coherence: float | None

    @property
    def politeness(self) -> float:
        """1 for no rudeness and no blame; what is a little of both is not polite either."""
        return 1.0 - min(1.0, self.faults[phrases.RUDE] + self.faults[phrases.BLAMES])


class Reader:
    """Reads dialogues whose texts `vectors` remembers; without vectors, by words alone."""

    def __init__(
        self, encoder: Embedder | None, vectors: Remembering | None, knowledge: Knowledge | None
    ) -> None:
        statements = [item.text for item in knowledge.statements.items] if knowledge else []
        self._vectors = vectors
        self._knowledge = knowledge
        self._tone = ToneHead(encoder, statements) if encoder else None

    def read(self, dialogue: Dialogue, main: Turn) -> Reading:
        """Read a dialogue; phrases are looked for in all its replies, the rest is of the main one."""
        faults = self._heard(main)
        for turn in dialogue.turns:
            said = phrases.said(sentences(turn.reply))
            faults = {fault: max(sure, said.get(fault, 0.0)) for fault, sure in faults.items()}
        scores = self._knowledge.scores(main.text) if self._knowledge else None
        grounding = self._knowledge.grounding(scores) if self._knowledge and scores is not None else None
        own = originality(main, faults[phrases.VAGUE], grounding)
        return Reading(faults, own, self._coherence(dialogue, main, scores))

    def _heard(self, turn: Turn) -> dict[str, float]:
        """What the tone head makes of a reply.

        It is asked about the main one alone, because it knows little of "Which order is it?". The highest of
        all replies' probabilities tells faulty conversations of seed 11 from good ones with an AUC of .77,
        the main one's with .91. A short faulty reply beside a long good one is found by its phrases, or not.
        """
        if self._tone is None or self._vectors is None or not turn.core:
            return dict.fromkeys(FAULTS, 0.0)
        [found] = self._tone.probabilities(self._vectors.one(turn.text)[None])
        return {fault: found[fault] for fault in FAULTS}

    def _coherence(self, dialogue: Dialogue, main: Turn, scores: Array | None) -> float | None:
        asked = [text for text in dict.fromkeys((dialogue.opening, main.question)) if text]
        if self._tone is None or self._vectors is None or not asked:
            return None
        gap = 0.0
        if self._knowledge is not None and scores is not None:
            gap = article_gap(self._knowledge, self._knowledge.scores(asked[0]), scores)
        questions = np.stack([self._vectors.one(text) for text in asked])
        return coherence(raw_coherence(questions, self._vectors.one(main.text), self._tone.good, gap))
