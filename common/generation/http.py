"""Replies from any OpenAI-compatible URL: vLLM, a gateway, a provider.

Time-outs, retries and `retry-after` are those of the official client. A server may bring defaults of its own
beside `Sampling` (vLLM takes them from the model's generation_config.json: start it with
`--generation-config vllm` to leave them out).
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common.chat import Message, MessageError, normalise
from common.console import progress
from common.errors import UserError
from common.generation import Reply, Sampling
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
    ) -> None:
        self.name = name
        self.url = url
        self.model = model
        self.timeout = timeout
        self.max_retries = max_retries
        self.concurrency = concurrency
        self.cache = ReplyCache(cache) if cache is not None else None
        self._api_key = _api_key(api_key_env)

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[Reply]:
        """One reply a conversation, in their order. Not for use inside of a running event loop."""
        return asyncio.run(self._generate(conversations, sampling))

    async def _generate(self, conversations: Sequence[Sequence[Message]], sampling: Sampling) -> list[Reply]:
        from openai import AsyncOpenAI

        slots = asyncio.Semaphore(self.concurrency)
        client = AsyncOpenAI(
            base_url=self.url, api_key=self._api_key, timeout=self.timeout, max_retries=self.max_retries
        )
        async with client:
            with progress() as display:
                task = display.add_task(f"replies of {self.name}", total=len(conversations), rate="")

                async def reply_to(messages: Sequence[Message]) -> Reply:
                    async with slots:
                        reply = await self._reply(client, messages, sampling)
                    display.update(task, advance=1)
                    return reply

                return await asyncio.gather(*map(reply_to, conversations))

    async def _reply(self, client: "AsyncOpenAI", messages: Sequence[Message], sampling: Sampling) -> Reply:
        try:
            messages = normalise(messages)
            if messages[-1]["role"] != "user":
                raise MessageError("last_not_user", "there is nothing to reply to")
        except MessageError as error:
            return Reply.failed(error.reason)
        key = cache_key(self.url, self.model, messages, sampling) if self.cache else None
        if self.cache and key and (cached := self.cache.get(key)) is not None:
            return cached
        reply = await self._ask(client, messages, sampling)
        if self.cache and key:
            self.cache.put(key, reply)
        return reply

    async def _ask(self, client: "AsyncOpenAI", messages: Sequence[Message], sampling: Sampling) -> Reply:
        """One request. Errors are told by kind and status: a server's message may quote the conversation."""
        import openai

        try:
            completion = await client.chat.completions.create(
                model=self.model,
                messages=[dict(message) for message in messages],  # type: ignore[misc]
                max_tokens=sampling.max_new_tokens,  # the newer max_completion_tokens is not known everywhere
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                seed=openai.omit if sampling.seed is None else sampling.seed,
                stop=list(sampling.stop) or openai.omit,
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


def _read(completion: object) -> Reply:
    """Read a completion part by part: the client does not check that a server sends what it should."""
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        return Reply.failed("bad_response: no choices")
    usage = getattr(completion, "usage", None)
    prompt_tokens, completion_tokens = (
        count if isinstance(count := getattr(usage, name, 0), int) else 0
        for name in ("prompt_tokens", "completion_tokens")
    )
    message = getattr(choices[0], "message", None)
    finish_reason = getattr(choices[0], "finish_reason", None)
    if finish_reason == "content_filter":
        return Reply.failed("content_filter: the server held the reply back", prompt_tokens)
    if getattr(message, "refusal", None):
        return Reply.failed("refusal: the server answered with a refusal", prompt_tokens)
    content = getattr(message, "content", None)
    if not isinstance(content, str):
        return Reply.failed("bad_response: no text", prompt_tokens)
    return Reply(content.strip(), prompt_tokens, completion_tokens, str(finish_reason or "stop"))


def _api_key(variable: str | None) -> str:
    """Without a variable a placeholder, so that a key which lies in OPENAI_API_KEY never goes elsewhere."""
    if variable is None:
        return "none"
    key = os.environ.get(variable)
    if not key:
        raise UserError(f"the environment variable {variable} is not set", f"export {variable}=<the API key>")
    return key
