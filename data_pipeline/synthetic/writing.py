"""Asks the model, has its replies checked, and makes rows of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from common.chat import Message
from common.generation import Reply
from common.generation.http import HttpGenerator
from data_pipeline.synthetic.checks import CHECKS, Candidate, Examination
from data_pipeline.synthetic.config import SynthesiseConfig
from data_pipeline.synthetic.estimate import schema_of
from data_pipeline.synthetic.plan import Request
from data_pipeline.synthetic.reply import ReplyError, read_reply
from data_pipeline.synthetic.rows import Row, kept_row, rejected_row, unread_row

_OF_THE_MODEL = ("refusal", "content_filter")
"""Missing replies that asking again would not bring."""


@dataclass
class Written:
    """The rows in the order of the requests, and what was counted."""

    kept: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def reject(self, row: Row) -> None:
        """Keep a row among the rejected ones; counted by check and code, without details."""
        self.rejected.append(row)
        self.reasons[": ".join(row["reason"].split(": ")[:2])] += 1


def open_generator(config: SynthesiseConfig) -> HttpGenerator:
    """The model's endpoint. Raises UserError: the variable with the API key is not set."""
    from common.generation.budget import Budget

    model = config.model
    return HttpGenerator(
        model.model,
        model.url,
        model.model,
        api_key_env=model.api_key_env,
        timeout=model.timeout,
        max_retries=model.max_retries,
        concurrency=model.concurrency,
        cache=model.cache,
        budget=Budget(model.budget),
    )


def ask(
    generator: HttpGenerator, prompts: Sequence[Sequence[Message]], config: SynthesiseConfig
) -> list[Reply]:
    """One reply a prompt; those of earlier runs come from the cache."""
    return generator.generate(prompts, config.model.sampling(config.seed), schema=schema_of(config))


def missing(replies: Sequence[Reply]) -> Counter[str]:
    """Replies that are not there, by reason, but for those that the model has denied."""
    reasons = [reply.error.split(":")[0] for reply in replies if reply.error is not None]
    return Counter(reason for reason in reasons if reason not in _OF_THE_MODEL)


def write_rows(
    requests: Sequence[Request],
    prompts: Sequence[Sequence[Message]],
    replies: Sequence[Reply],
    existing: Sequence[Sequence[Message]],
    examination: Examination,
    model: str,
) -> Written:
    """Check every conversation; each request ends as one row, kept or rejected."""
    candidates: dict[str, Candidate] = {}
    errors: dict[str, ReplyError] = {}
    for request, reply in zip(requests, replies, strict=True):
        try:
            candidates[request.id] = Candidate(request, read_reply(reply))
        except ReplyError as error:
            errors[request.id] = error
    examination.examine(list(candidates.values()), existing)
    written = Written(passed=Counter(dict.fromkeys(CHECKS, 0)))
    for request, prompt, reply in zip(requests, prompts, replies, strict=True):
        candidate = candidates.get(request.id)
        if candidate is None:
            written.reject(unread_row(request, reply, errors[request.id], model, prompt))
            continue
        written.passed.update(candidate.passed)
        if examination.is_kept(candidate):
            written.kept.append(kept_row(candidate, model, prompt))
        else:
            written.reject(rejected_row(candidate, model, prompt))
    return written
