"""A limit on what requests may cost. It holds whatever comes back: nothing is sent that could exceed it.

    generator = HttpGenerator(..., budget=Budget(BudgetConfig(max_tokens=2_000_000)))
    generator.budget.spent, generator.budget.cost

Before a request is sent, the most that it can cost is set aside: a token for each byte of the prompt (the
tokenizers of language models start from bytes and only merge them), room for the chat template (64 tokens and
16 a message: one that adds a long system text of its own can cost more), all new tokens, and all of that
again for each retry. Once it is answered, the server's own count takes its place.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from common.chat import Message
from common.config import Config
from common.generation import JsonSchema, Sampling

_TEMPLATE = 64
_TEMPLATE_PER_MESSAGE = 16
_MILLION = 1_000_000


class BudgetConfig(Config):
    """Limits, and the prices that a limit on money needs."""

    max_tokens: Annotated[int, Field(gt=0)] | None = None
    """Prompt and completion tokens together."""
    max_cost: Annotated[float, Field(gt=0)] | None = None
    """In the currency of the prices."""
    prompt_price: Annotated[float, Field(ge=0)] | None = None
    """Of a million tokens."""
    completion_price: Annotated[float, Field(ge=0)] | None = None
    """Of a million tokens."""

    @model_validator(mode="after")
    def _prices_are_known(self) -> Self:
        if (self.prompt_price is None) != (self.completion_price is None):
            raise ValueError("prompt_price and completion_price: give both, or none")
        if self.max_cost is not None and self.prompt_price is None:
            raise ValueError("max_cost: needs prompt_price and completion_price")
        return self

    def divided(self, parts: int) -> Self:
        """What each of `parts` may spend that work side by side: together no more than this, or a token."""
        shares = {
            "max_tokens": self.max_tokens and max(1, self.max_tokens // parts),
            "max_cost": self.max_cost and self.max_cost / parts,
        }
        return self.model_copy(update=shares)


@dataclass(frozen=True)
class Usage:
    """Tokens of one or many requests."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens
        )

    def __mul__(self, times: int) -> "Usage":
        return Usage(self.prompt_tokens * times, self.completion_tokens * times)


class Budget:
    """What has been spent, and whether more may be. It is for one thread; several generators may share it.

    `stopped` stays true: from the first request that did not fit, none is sent, not even a short one.
    Otherwise the short conversations alone would be answered near the end, and bias what is measured.
    """

    def __init__(self, config: BudgetConfig | None = None) -> None:
        self.config = config or BudgetConfig()
        self.spent = Usage()
        self.stopped = False

    @property
    def cost(self) -> float | None:
        """What has been spent, in the currency of the prices; None without prices."""
        return self._cost(self.spent)

    def fits(self, usage: Usage) -> bool:
        """Whether `usage` may be spent on top of what has been."""
        total = self.spent + usage
        cost, max_cost, max_tokens = self._cost(total), self.config.max_cost, self.config.max_tokens
        return (max_tokens is None or total.total <= max_tokens) and (
            max_cost is None or cost is None or cost <= max_cost
        )

    def _cost(self, usage: Usage) -> float | None:
        prompt_price, completion_price = self.config.prompt_price, self.config.completion_price
        if prompt_price is None or completion_price is None:
            return None
        # From whole tokens at once: a sum of small amounts would drift.
        return (usage.prompt_tokens * prompt_price + usage.completion_tokens * completion_price) / _MILLION


class Gate:
    """Lets the requests of one event loop pass in their order, as long as the budget holds."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._held: list[Usage] = []
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()

    async def admit(self, most: Usage) -> bool:
        """Set `most` aside for a request, and say whether it may be sent.

        Where it does not fit beside the requests under way, their real cost is waited for.
        """
        async with self._turn:
            while self._held and not self._fits(most):
                self._settled.clear()
                await self._settled.wait()
            self.budget.stopped = self.budget.stopped or not self._fits(most)
            if not self.budget.stopped:
                self._held.append(most)
            return not self.budget.stopped

    def settle(self, most: Usage, spent: Usage) -> None:
        """Put what a request has cost in the place of what was set aside for it."""
        self._held.remove(most)
        self.budget.spent += spent
        self._settled.set()

    def _fits(self, most: Usage) -> bool:
        return self.budget.fits(sum(self._held, start=most))


def most_tokens(messages: Sequence[Message], sampling: Sampling, schema: JsonSchema | None = None) -> Usage:
    """The most that one attempt at a request can cost; a schema may be written into the prompt."""
    text = "".join(message["content"] for message in messages)
    given = text + (json.dumps(schema) if schema is not None else "")
    prompt_tokens = len(given.encode()) + _TEMPLATE + _TEMPLATE_PER_MESSAGE * len(messages)
    return Usage(prompt_tokens, sampling.max_new_tokens)
