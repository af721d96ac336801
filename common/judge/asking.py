"""Ask each question once, and what was answered before not at all.

The cache holds the judge's replies as they came, not the verdicts: a better parser reads them again without
a request. One that holds no verdict is asked for again by the next run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from common.chat import MessageError, normalise
from common.console import warn
from common.generation import JsonSchema, Reply
from common.generation.budget import Budget
from common.generation.cache import ReplyCache, cache_key
from common.generation.http import HttpGenerator
from common.judge.config import JudgeConfig
from common.judge.parsing import Json, ParseError, find_verdict
from common.judge.prompts import Question

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What was read from the judge's reply; None exactly when `unscored` says why."""

    value: T | None
    unscored: str | None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: bool = False


class Asker:
    """The endpoint of a judge, with its cache, its budget, and whether it can do structured output."""

    def __init__(self, config: JudgeConfig) -> None:
        self.config = config
        self.budget = Budget(config.budget)
        self._cache = ReplyCache(config.cache) if config.cache is not None else None
        self._generator = HttpGenerator(
            f"judge {config.model}",
            config.url,
            config.model,
            api_key_env=config.api_key_env,
            timeout=config.timeout,
            max_retries=config.max_retries,
            concurrency=config.concurrency,
            budget=self.budget,
        )
        self._structured = config.structured_output != "none"
        self._tried = False

    def ask(
        self, questions: Sequence[Question], schema: JsonSchema, read: Callable[[Json], T]
    ) -> list[Answer[T]]:
        """One answer a question, in their order. A question that is there twice is asked once.

        `read` makes a value of a verdict that keeps to `schema`, or raises ParseError.
        """
        answers: dict[Question, Answer[T]] = {}
        missing: list[Question] = []
        for question in dict.fromkeys(questions):
            try:
                normalise(question.messages)
            except MessageError as error:
                answers[question] = Answer(None, error.reason)
                continue
            remembered = self._remembered(question, schema, read)
            if remembered is not None:
                answers[question] = remembered
            else:
                missing.append(question)
        for batch in self._batches(missing):
            replies = self._send(batch, schema)
            for question, reply in zip(batch, replies, strict=True):
                answers[question] = self._answer(question, reply, read)
        return _in_order(questions, answers)

    def _batches(self, questions: list[Question]) -> list[list[Question]]:
        """One question goes ahead of the others to find out whether the server takes a schema."""
        ahead = 1 if self.config.structured_output == "auto" and not self._tried else 0
        return [batch for batch in (questions[:ahead], questions[ahead:]) if batch]

    def _send(self, questions: Sequence[Question], schema: JsonSchema) -> list[Reply]:
        replies = self._generate(questions, schema if self._structured else None)
        if not self._structured or self.config.structured_output == "json_schema":
            return replies
        self._tried = True
        rejected = [index for index, reply in enumerate(replies) if _is_rejected(reply)]
        if not rejected:
            return replies
        # The schema may be the reason, or something else about the question: without the schema it shows.
        again = self._generate([questions[index] for index in rejected], None)
        if any(reply.text is not None for reply in again):
            self._structured = False
            warn(f"the server of judge {self.config.model} rejects json_schema: it is asked in words alone")
        by_index = dict(zip(rejected, again, strict=True))
        return [by_index.get(index, reply) for index, reply in enumerate(replies)]

    def _generate(self, questions: Sequence[Question], schema: JsonSchema | None) -> list[Reply]:
        keys = [self._key(question, schema) for question in questions]

        def keep(index: int, reply: Reply) -> None:
            if self._cache is not None and (key := keys[index]) is not None:
                self._cache.put(key, reply)

        conversations = [question.messages for question in questions]
        return self._generator.generate(conversations, self.config.sampling, schema=schema, on_reply=keep)

    def _remembered(
        self, question: Question, schema: JsonSchema, read: Callable[[Json], T]
    ) -> Answer[T] | None:
        """The answer of an earlier run, if it could be read."""
        mode = self.config.structured_output
        forms = ([] if mode == "none" else [schema]) + ([] if mode == "json_schema" else [None])
        for form in forms:
            key = self._key(question, form)
            reply = self._cache.get(key) if self._cache is not None and key is not None else None
            if reply is not None:
                answer = self._answer(question, reply, read)
                if answer.unscored is None:
                    return replace(answer, cached=True)
        return None

    def _key(self, question: Question, schema: JsonSchema | None) -> str | None:
        return cache_key(self.config.url, self.config.model, question.messages, self.config.sampling, schema)

    def _answer(self, question: Question, reply: Reply, read: Callable[[Json], T]) -> Answer[T]:
        tokens = reply.prompt_tokens, reply.completion_tokens
        if reply.text is None:
            return Answer(None, reply.error, *tokens)
        if reply.finish_reason == "length":  # what it was about to say is not known, even if this can be read
            return Answer(None, "parse_failure: cut at max_new_tokens", *tokens)
        alone = self.config.structured_output == "json_schema"
        try:
            return Answer(read(find_verdict(reply.text, question.material, alone=alone)), None, *tokens)
        except ParseError as error:
            return Answer(None, f"parse_failure: {error}", *tokens)


def _is_rejected(reply: Reply) -> bool:
    return (reply.error or "").startswith(("http_400", "http_422"))


def _in_order(questions: Sequence[Question], answers: dict[Question, Answer[T]]) -> list[Answer[T]]:
    """An answer that is given again has cost nothing again."""
    given: set[Question] = set()
    in_order = []
    for question in questions:
        answer = answers[question]
        in_order.append(replace(answer, cached=True) if question in given else answer)
        given.add(question)
    return in_order
