"""What a run would ask for, without asking."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.chat import Message, normalise
from common.generation import JsonSchema
from common.generation.budget import Budget, Usage
from common.generation.cache import ReplyCache, cache_key
from data_pipeline.synthetic.config import SynthesiseConfig
from data_pipeline.synthetic.prompts import SCHEMA

_BYTES_PER_TOKEN = 4
"""Of English text, roughly; other languages have fewer."""


@dataclass(frozen=True)
class Estimate:
    """Of a run.

    Attributes:
        requests: all of them.
        paid: those whose reply an earlier run has paid for.
        usage: of the others; about so many prompt tokens, and at most so many completion tokens.
        most_cost: of the others, by these counts; None without prices.
    """

    requests: int
    paid: int
    usage: Usage
    most_cost: float | None


def schema_of(config: SynthesiseConfig) -> JsonSchema | None:
    """What the server is asked to keep to."""
    return SCHEMA if config.model.json_schema else None


def estimate(prompts: Sequence[Sequence[Message]], config: SynthesiseConfig) -> Estimate:
    """What `prompts` would cost now."""
    model, sampling = config.model, config.model.sampling(config.seed)
    cache = ReplyCache(model.cache)
    usage, paid = Usage(), 0
    for prompt in prompts:
        key = cache_key(model.url, model.model, normalise(prompt), sampling, schema_of(config))
        if key is not None and cache.get(key) is not None:
            paid += 1
            continue
        size = sum(len(message["content"].encode()) for message in prompt)
        usage += Usage(size // _BYTES_PER_TOKEN, model.max_new_tokens)
    budget = Budget(model.budget)
    budget.spent = usage
    return Estimate(len(prompts), paid, usage, budget.cost)
