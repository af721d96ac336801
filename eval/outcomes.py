"""What one system does on the test sets: likelihood of the true replies, and replies of its own.

A finished test set is kept in the working folder, so a run that was killed goes on behind it.
"""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common import console, models
from common.chat import FAMILIES
from common.generation import Generator, Reply
from common.generation.local import LocalGenerator
from eval.config import ReportConfig, System
from eval.perplexity import Score, score
from eval.rouge import rouge_l
from eval.testsets import Conversation, Turn

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class EvalSet:
    """A test set: conversations to be scored, and the turns of them to be answered anew (maybe none)."""

    name: str
    conversations: list[Conversation]
    turns: list[Turn]

    @property
    def size(self) -> dict[str, int]:
        """How many rows it holds, of how many customers, and how many replies are asked for."""
        clusters = {conversation.cluster for conversation in self.conversations}
        return {
            "conversations": len(self.conversations),
            "customers": len(clusters),
            "replies": len(self.turns),
        }


@dataclass(frozen=True)
class Outcome:
    """What a system did on a test set.

    `scores` stand beside its conversations (a constant reply has none), `replies` and `rouge_l` beside its
    turns. A reply that failed has no ROUGE-L.
    """

    scores: list[Score]
    replies: list[Reply]
    rouge_l: list[float | None]

    @classmethod
    def of(cls, eval_set: EvalSet, scores: list[Score], replies: list[Reply]) -> "Outcome":
        """Compare the replies with the references."""
        answered = [index for index, reply in enumerate(replies) if reply.text is not None]
        values = rouge_l(
            [eval_set.turns[index].reference for index in answered],
            [replies[index].text or "" for index in answered],
        )
        by_index = dict(zip(answered, values, strict=True))
        return cls(scores, replies, [by_index.get(index) for index in range(len(replies))])


def evaluate(
    config: ReportConfig, system: System, eval_sets: Sequence[EvalSet], work: Path
) -> dict[str, Outcome]:
    """The system's outcome on every test set, by name; what lies finished in `work` is taken from there."""
    files = {eval_set.name: work / f"{system.name}--{eval_set.name}.json" for eval_set in eval_sets}
    missing = [eval_set for eval_set in eval_sets if not files[eval_set.name].is_file()]
    if missing:
        console.say(f"{system.name}: {system.model}" + (f" with {system.adapter}" if system.adapter else ""))
        console.quiet_libraries()
        family = FAMILIES[config.chat_template]
        model, tokenizer = models.load(
            system.model, adapter=system.adapter, family=family, dtype=config.dtype, device=config.device
        )
        generator = LocalGenerator(system.name, model, tokenizer, family, batch_size=config.batch_size)
        for eval_set in missing:
            _save(files[eval_set.name], *_run(config, eval_set, model, tokenizer, generator))
    return {eval_set.name: Outcome.of(eval_set, *_read(files[eval_set.name])) for eval_set in eval_sets}


def _run(
    config: ReportConfig,
    eval_set: EvalSet,
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    generator: Generator,
) -> tuple[list[Score], list[Reply]]:
    started = time.monotonic()
    scores = score(
        model,
        tokenizer,
        FAMILIES[config.chat_template],
        [conversation.messages for conversation in eval_set.conversations],
        batch_size=config.batch_size,
        description=f"{generator.name} on {eval_set.name}",
    )
    scored = time.monotonic()
    replies = generator.generate([turn.prompt for turn in eval_set.turns], config.sampling)
    console.run_log(
        "REPORT",
        system=generator.name,
        test_set=eval_set.name,
        conversations=len(scores),
        seconds=round(scored - started, 1),
        replies=len(replies),
        reply_seconds=round(time.monotonic() - scored, 1),
        unscored=sum(s.unscored is not None for s in scores) + sum(r.error is not None for r in replies),
    )
    return scores, replies


def _save(path: Path, scores: list[Score], replies: list[Reply]) -> None:
    outcome = {"scores": [asdict(each) for each in scores], "replies": [asdict(each) for each in replies]}
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(outcome, ensure_ascii=False), encoding="utf-8")
    os.replace(temporary, path)


def _read(path: Path) -> tuple[list[Score], list[Reply]]:
    outcome = json.loads(path.read_text(encoding="utf-8"))
    return [Score(**each) for each in outcome["scores"]], [Reply(**each) for each in outcome["replies"]]
