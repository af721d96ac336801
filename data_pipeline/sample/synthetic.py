"""Conversations as a language model would have written them for the training set, some of them useless."""

import random
from dataclasses import dataclass
from typing import Any, get_args

from data_pipeline.sample.generate import MOST_TICKETS, Sample
from data_pipeline.sample.grammar import join, plain
from data_pipeline.sample.label_models import LowQualityKind
from data_pipeline.sample.rates import is_planted
from data_pipeline.sample.scope import Scope

_CUSTOMERS = 20 * MOST_TICKETS
_KINDS: tuple[LowQualityKind, ...] = get_args(LowQualityKind)

Json = dict[str, Any]


@dataclass(frozen=True)
class SyntheticRows:
    """Rows by index: one question and its answer, spelled well and without a greeting."""

    sample: Sample

    def row(self, index: int) -> tuple[Json, Json]:
        """Row `index`, in the `chat` format of `data_pipeline.build`, and its truth."""
        content, seed = self.sample.content, self.sample.seed
        rng = random.Random(f"{seed}:synthetic:{index}")
        situation = rng.choice(self.sample.without_needs(held_out=False))
        customer = self.sample.customer(_CUSTOMERS + index)
        scope = Scope(content, situation, customer, rng)
        openers = [line for line in situation.openers if not line.feelings] or situation.openers
        question = plain(join([scope.say(openers)]))
        answer = plain(
            join([scope.say(content.moods["calm"].empathy.question), scope.say(situation.answers)])
        )
        fault = None
        if is_planted("low_quality", f"synthetic:{index}", self.sample.rates.low_quality, seed):
            fault = rng.choice(_KINDS)
            question, answer = self._spoilt(fault, question, answer, scope)
        identity = f"{seed}-synthetic-{index:06}"
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        row = {"id": identity, "source": "synthetic", "article": situation.article, "messages": messages}
        return row, {"id": identity, "situation": situation.name, "low_quality": fault}

    def _spoilt(self, fault: LowQualityKind, question: str, answer: str, scope: Scope) -> tuple[str, str]:
        if fault == "truncated":
            return question, answer[: len(answer) * 2 // 5].rstrip()
        if fault == "repetition":
            return question, " ".join([answer] * 3)
        line = plain(scope.say(self.sample.content.low_quality[fault]))
        if fault == "prompt_leak":
            return f"{line}\n{question}", answer
        if fault == "off_domain":
            return line, answer
        return question, line
