"""Replies from any OpenAI-compatible URL: vLLM, a gateway, a provider.

Time-outs, retries and `retry-after` are those of the official client. A server may bring defaults of its own
beside `Sampling` (vLLM takes them from the model's generation_config.json: start it with
`--generation-config vllm` to leave them out).
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.chat import Message, MessageError, normalise
from common.chat.messages import awaits_reply
from common.console import progress
from common.errors import UserError
from common.generation import JsonSchema, Reply, Sampling
from common.generation.budget import Budget, Gate, Usage, most_tokens
from common.generation.cache import ReplyCache, cache_key

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class HttpGenerator:
    """Asks `url` (which ends in /v1) for replies of `model`.

    Args:
        api_key_env: the environment variable that holds the key; without it, none is sent.
        timeout: seconds for one attempt.
        max_retries: further attempts after a time-out, a lost connection or a status 408, 409, 429 or 5xx.
        concurrency: requests at the same time.
        cache: a folder that keeps replies (see `common.generation.cache`).
        budget: counts what is spent, and limits it where it has limits (see `common.generation.budget`).

    Raises:
        UserError: the environment variable is not set.
    """

    def __init__(
        self,
        name: str,
        url: str,
        model: str,
        *,
        api_key_env: str | None = None,
        timeout: float = 60.0,
        max_retries: int = 4,
        concurrency: int = 8,
        cache: Path | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.name = name
        self.url = url
        self.model = model
        self.timeout = timeout
        self.max_retries = max_retries
        self.concurrency = concurrency
        self.cache = ReplyCache(cache) if cache is not None else None
        self.budget = budget or Budget()
        self._api_key = _api_key(api_key_env)

    def generate(
        self,
        conversations: Sequence[Sequence[Message]],
        sampling: Sampling,
        *,
        schema: JsonSchema | None = None,
        on_reply: Callable[[int, Reply], None] | None = None,
    ) -> list[Reply]:
        """One reply a conversation, in their order. Not for use inside of a running event loop.

        `schema` asks for structured output: a server that can gives text which is JSON of that schema. One
        that can't may answer with status 400, or pay no attention to it. `on_reply` gets each reply, with its
        conversation's index, as soon as it is there: what has been paid for can be kept at once.
        """
        return asyncio.run(self._generate(conversations, sampling, schema, on_reply))

    async def _generate(
        self,
        conversations: Sequence[Sequence[Message]],
        sampling: Sampling,
        schema: JsonSchema | None,
        on_reply: Callable[[int, Reply], None] | None,
    ) -> list[Reply]:
        from common.generation.client import open_client

        slots = asyncio.Semaphore(self.concurrency)
        async with open_client(self.url, self._api_key, self.timeout, self.max_retries) as client:
            call = _Call(client, Gate(self.budget), sampling, schema)
            with progress() as display:
                task = display.add_task(f"replies of {self.name}", total=len(conversations), rate="")

                async def reply_to(index: int, messages: Sequence[Message]) -> Reply:
                    async with slots:
                        reply = await self._reply(call, messages)
                    if on_reply is not None:
                        on_reply(index, reply)
                    display.update(task, advance=1)
                    return reply

                return await asyncio.gather(*(reply_to(*each) for each in enumerate(conversations)))

    async def _reply(self, call: "_Call", messages: Sequence[Message]) -> Reply:
        try:
            messages = normalise(messages)
            if not awaits_reply(messages):
                raise MessageError("last_not_user", "there is nothing to reply to")
        except MessageError as error:
            return Reply.failed(error.reason)
        key = cache_key(self.url, self.model, messages, call.sampling, call.schema) if self.cache else None
        if self.cache and key and (cached := self.cache.get(key)) is not None:
            return cached
        reply = await self._ask_within_budget(call, messages)
        if self.cache and key:
            self.cache.put(key, reply)
        return reply

    async def _ask_within_budget(self, call: "_Call", messages: Sequence[Message]) -> Reply:
        """One request, if the budget allows it; what the server does not count costs the most it can."""
        from common.generation.client import Attempts, attempts

        most_once = most_tokens(messages, call.sampling, call.schema)
        most = most_once * (1 + self.max_retries)
        if not await call.gate.admit(most):
            return Reply.failed("budget: the next request could exceed it")
        seen = Attempts()
        attempts.set(seen)
        spent = most  # unless it ends as it should: interrupted, it may be charged for all the same
        try:
            reply = await self._ask(call, messages)
            counted = Usage(reply.prompt_tokens, reply.completion_tokens)
            spent = (counted if counted.total else most_once * seen.answered) + most_once * seen.lost
        finally:
            call.gate.settle(most, spent)
        return reply

    async def _ask(self, call: "_Call", messages: Sequence[Message]) -> Reply:
        """One request. Errors are told by kind and status: a server's message may quote the conversation."""
        import openai

        sampling = call.sampling
        try:
            completion = await call.client.chat.completions.create(
                model=self.model,
                messages=[dict(message) for message in messages],  # type: ignore[misc]
                max_tokens=sampling.max_new_tokens,  # the newer max_completion_tokens is not known everywhere
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                seed=openai.omit if sampling.seed is None else sampling.seed,
                stop=list(sampling.stop) or openai.omit,
                response_format=_response_format(call.schema) or openai.omit,  # type: ignore[arg-type]
            )
        except openai.APITimeoutError:
            return Reply.failed(f"timeout: no answer in {self.timeout:g} s, {self.max_retries + 1} times")
        except openai.APIConnectionError as error:
            return Reply.failed(f"no_connection: {type(error.__cause__).__name__}")
        except openai.APIStatusError as error:
            return Reply.failed(f"http_{error.status_code}: {error.code or error.type or 'no code given'}")
        except ValueError:  # the client leaves it to the JSON and UTF-8 decoders
            return Reply.failed("bad_response: not JSON")
        return _read(completion)


@dataclass(frozen=True)
class _Call:
    """What the requests of one call of `generate` share."""

    client: "AsyncOpenAI"
    gate: Gate
    sampling: Sampling
    schema: JsonSchema | None


def _read(completion: object) -> Reply:
    """Read a completion part by part: the client does not check that a server sends what it should."""
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        return Reply.failed("bad_response: no choices")
    usage = getattr(completion, "usage", None)
    counts = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    message = getattr(choices[0], "message", None)
    finish_reason = getattr(choices[0], "finish_reason", None)
    if finish_reason == "content_filter":
        return Reply.failed("content_filter: the server held the reply back", *counts)
    if getattr(message, "refusal", None):
        return Reply.failed("refusal: the server answered with a refusal", *counts)
    content = getattr(message, "content", None)
    if not isinstance(content, str):
        return Reply.failed("bad_response: no text", *counts)
    return Reply(content.strip(), *counts, str(finish_reason or "stop"))


def _count(usage: object, name: str) -> int:
    count = getattr(usage, name, 0)
    return count if isinstance(count, int) and count > 0 else 0


def _response_format(schema: JsonSchema | None) -> dict[str, object] | None:
    if schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}


def _api_key(variable: str | None) -> str:
    """Without a variable a placeholder, so that a key which lies in OPENAI_API_KEY never goes elsewhere."""
    if variable is None:
        return "none"
    key = os.environ.get(variable)
    if not key:
        raise UserError(f"the environment variable {variable} is not set", f"export {variable}=<the API key>")
    return key
