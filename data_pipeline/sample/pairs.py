"""Preference pairs: to one conversation so far, a good answer and a planted bad one.

The longer of the two is the good one as often as not, so that "prefer the longer" earns nothing.
"""

import random
from copy import copy
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, get_args

from data_pipeline.sample.contradictions import Misstatement, alterable_answers, contradict
from data_pipeline.sample.conversation import Dialogue, Plan
from data_pipeline.sample.dialogue import write_dialogue
from data_pipeline.sample.generate import MOST_TICKETS, Sample
from data_pipeline.sample.grammar import join, plain
from data_pipeline.sample.label_models import BadAnswerKind
from data_pipeline.sample.models import Situation
from data_pipeline.sample.people import Customer
from data_pipeline.sample.scope import Scope
from data_pipeline.sample.splits import bad_answer_lines

_CONTRADICTIONS = 0.4
"""Share of pairs whose bad answer contradicts the article, where the situation's answers state facts."""

_CUSTOMERS = 3 * MOST_TICKETS

Json = dict[str, Any]
_Bad = tuple[str, Misstatement | None]


@dataclass(frozen=True)
class PairRows:
    """Pairs by index, of the situations that are in the tickets or of the held-out ones."""

    sample: Sample
    held_out: bool

    def row(self, index: int) -> tuple[Json, Json]:
        """Pair `index` in TRL's conversational format, and its truth."""
        content, seed = self.sample.content, self.sample.seed
        rng = random.Random(f"{seed}:pair:{self.held_out}:{index}")
        situation = rng.choice(self.sample.situations(self.held_out))
        customer = self.sample.customer(_CUSTOMERS + 2 * index + self.held_out)
        if customer.language not in ("en", "ja-en"):
            customer = replace(customer, language="en")
        dialogue = write_dialogue(content, situation, customer, Plan(), rng)
        scope = dialogue.scope
        good = [plain(join([scope.expand(answer)])) for answer in situation.answers for _ in range(2)]
        kind, bad = self._bad(situation, customer, scope, rng)
        chosen, (rejected, wrong) = _balanced(good, bad, rng)
        identity = f"{seed}-{'unseen-pair' if self.held_out else 'pair'}-{index:06}"
        row = {
            "id": identity,
            "prompt": _prompt(dialogue),
            "chosen": [{"role": "assistant", "content": chosen}],
            "rejected": [{"role": "assistant", "content": rejected}],
        }
        truth = {
            "id": identity,
            "situation": situation.name,
            "article": situation.article,
            "kind": kind,
            "contradiction": asdict(wrong) if wrong else None,
        }
        return row, truth

    def _bad(
        self, situation: Situation, customer: Customer, scope: Scope, rng: random.Random
    ) -> tuple[str, list[_Bad]]:
        """Bad answers of one kind, to choose from by length."""
        content = self.sample.content
        if alterable_answers(content, situation) and rng.random() < _CONTRADICTIONS:
            wrong = [contradict(content, situation, copy(scope), rng) for _ in range(8)]
            return "contradiction", [(plain(join([pieces])), misstatement) for pieces, misstatement in wrong]
        kind: BadAnswerKind = rng.choice(get_args(BadAnswerKind))
        if kind == "off_topic":
            others = [s for s in self.sample.without_needs(self.held_out) if s.article != situation.article]
            other = rng.choice(others)
            scope, lines = Scope(content, other, customer, rng, scope.agents), other.answers
        else:
            lines = tuple(bad_answer_lines(content.bad_answers[kind], self.held_out)) * 3
        return kind, [(plain(join([scope.expand(line)])), None) for line in lines]


def _balanced(good: list[str], bad: list[_Bad], rng: random.Random) -> tuple[str, _Bad]:
    """The two answers closest in length among those where, by a coin, the good or the bad one is longer."""
    sign = rng.choice((-1, 1))
    pairs = [pair for pair in product(good, bad) if pair[0] != pair[1][0]]
    rng.shuffle(pairs)
    fitting = [pair for pair in pairs if sign * (len(pair[0]) - len(pair[1][0])) >= 0]
    return min(fitting or pairs, key=lambda pair: abs(len(pair[0]) - len(pair[1][0])))


def _prompt(dialogue: Dialogue) -> list[Json]:
    """The conversation up to the answer; what one side says in a row is one message."""
    messages: list[Json] = []
    for message in dialogue.messages[: dialogue.answer_index]:
        role = "user" if message.speaker == "customer" else "assistant"
        text = plain(message.text)
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += f"\n{text}"
        else:
            messages.append({"role": role, "content": text})
    if messages[-1]["role"] == "assistant":  # the agent had said "one moment"
        messages.pop()
    return messages
