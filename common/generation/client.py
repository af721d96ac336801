"""The official client, and a count of its attempts: a retry is not to be seen in its answer.

Import it inside of functions: openai takes a second to load.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx2
from openai import AsyncOpenAI, DefaultAsyncHttpxClient


@dataclass
class Attempts:
    """What became of one request's attempts that a server may charge for; those it refused it does not."""

    answered: int = 0
    lost: int = 0
    """Sent, and then nothing came back: the server may have worked on it all the same."""


attempts: ContextVar[Attempts] = ContextVar("attempts")
"""Those of the task's request; a request must set it."""


def open_client(url: str, api_key: str, timeout: float, max_retries: int) -> AsyncOpenAI:
    """The client for `url`; it must be closed."""
    return AsyncOpenAI(
        base_url=url,
        api_key=api_key,
        timeout=timeout,
        max_retries=max_retries,
        http_client=_CountingClient(base_url=url),
    )


class _CountingClient(DefaultAsyncHttpxClient):
    """Every attempt passes through `send`, which is where the kind of its failure is still known."""

    async def send(self, request: httpx2.Request, **settings: Any) -> httpx2.Response:
        try:
            response = await super().send(request, **settings)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            raise  # never sent
        except httpx2.TransportError:
            attempts.get().lost += 1
            raise
        attempts.get().answered += response.is_success
        return response
