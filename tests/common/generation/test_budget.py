"""A budget is never exceeded, whatever the server does, and is charged for what a server may charge for."""

import asyncio
import json
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.chat import FAMILIES, load_tokenizer, render_prompt
from common.generation import Sampling
from common.generation.budget import Budget, BudgetConfig, Gate, Usage, most_tokens
from common.generation.http import HttpGenerator
from tests.common.chat.small_tokenizers import write_tokenizer
from tests.common.generation.scripted_server import Answer, fails, says, serving

SAMPLING = Sampling(max_new_tokens=20)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


MOST = most_tokens(ask("a"), SAMPLING)


def generate(url: str, texts: list[str], budget: Budget, **settings) -> list[str | None]:
    """The errors of the replies to `texts`."""
    settings = {"max_retries": 0, "timeout": 5.0, **settings}
    generator = HttpGenerator("remote", url, "support", budget=budget, **settings)
    replies = generator.generate([ask(text) for text in texts], SAMPLING)
    return [reply.error and reply.error.split(":")[0] for reply in replies]


def test_the_most_a_request_can_cost():
    assert most_tokens(ask("a"), SAMPLING) == Usage(len(b"a") + 64 + 16, 20)
    schema = {"type": "object"}
    with_schema = most_tokens(ask("返"), SAMPLING, schema)
    assert with_schema == Usage(len("返".encode()) + len(json.dumps(schema)) + 64 + 16, 20)


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers")
    return [
        (load_tokenizer(str(write_tokenizer(folder / name, name)), family), family)
        for name, family in FAMILIES.items()
        if name != "llama3.2"
    ]


@settings(deadline=None, max_examples=50)
@given(texts=st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=60)] * 2))
def test_no_family_makes_more_tokens_of_a_prompt(tokenizers, texts):
    roles = ("system", "user")
    messages = [{"role": role, "content": f"{text}."} for role, text in zip(roles, texts, strict=True)]
    for tokenizer, family in tokenizers:
        used = len(render_prompt(tokenizer, family, messages))
        assert used <= most_tokens(messages, SAMPLING).prompt_tokens


@pytest.mark.parametrize("concurrency", [1, 5])
@pytest.mark.parametrize("left", [0, MOST.total - 1, MOST.total])
def test_the_run_stops_exactly_where_the_next_request_could_exceed_the_budget(concurrency, left):
    """Each request uses 14 tokens and could use MOST. Requests under way are waited for, not guessed at."""
    budget = Budget(BudgetConfig(max_tokens=14 * 3 + left))
    with serving(lambda request: says("b", usage=(11, 3))) as server:
        errors = generate(server.url, ["a"] * 9, budget, concurrency=concurrency)
    # The first fits if MOST does; the fourth is sent if after three of them MOST is left.
    asked = 4 if left >= MOST.total else max(0, (14 * 3 + left - MOST.total) // 14 + 1)
    assert errors == [None] * asked + ["budget"] * (9 - asked)
    assert len(server.requests) == asked
    assert budget.spent == Usage(11, 3) * asked
    assert budget.spent.total <= budget.config.max_tokens


def test_money_is_limited_like_tokens():
    prices = {"prompt_price": 2.0, "completion_price": 8.0}
    most = (MOST.prompt_tokens * 2 + MOST.completion_tokens * 8) / 1e6
    one = (11 * 2 + 3 * 8) / 1e6
    budget = Budget(BudgetConfig(max_cost=one * 2 + most + 1e-9, **prices))
    with serving({"a": [says("b", usage=(11, 3))]}) as server:
        errors = generate(server.url, ["a"] * 5, budget)
    assert errors == [None] * 3 + ["budget"] * 2
    assert budget.cost == pytest.approx(3 * one)
    assert Budget(BudgetConfig(max_tokens=1)).cost is None


def test_after_the_first_refusal_not_even_a_short_request_is_sent():
    budget = Budget(BudgetConfig(max_tokens=MOST.total + 50))
    with serving(lambda request: says("b", usage=(11, 3))) as server:
        assert generate(server.url, ["a" * 500, "a"], budget) == ["budget", "budget"]
        assert generate(server.url, ["a"], budget) == ["budget"]
    assert server.requests == []


def test_a_request_must_fit_with_all_its_retries():
    almost, enough = (Budget(BudgetConfig(max_tokens=3 * MOST.total - less)) for less in (1, 0))
    with serving({"a": [says("b")]}) as server:
        assert generate(server.url, ["a"], almost, max_retries=2) == ["budget"]
        assert generate(server.url, ["a"], enough, max_retries=2) == [None]


SPENT = {
    "answered": ([says("b", usage=(11, 3))], 0, Usage(11, 3)),
    "a refusal": ([says(None, refusal="no", usage=(11, 3))], 0, Usage(11, 3)),
    "held back": ([says("b", "content_filter", usage=(11, 3))], 0, Usage(11, 3)),
    "usage not told": ([says("b", usage=(0, 0))], 0, MOST),
    "usage below zero": ([says("b", usage=(-50, 3))], 0, Usage(0, 3)),
    "not JSON": ([Answer(b"{")], 0, MOST),
    "lost": ([Answer(b"{}", delay=2.0)], 0, MOST),
    "lost, then answered": ([Answer(b"{}", delay=2.0), says("b", usage=(11, 3))], 1, MOST + Usage(11, 3)),
    "turned away, then answered": ([fails(429), fails(500), says("b", usage=(11, 3))], 2, Usage(11, 3)),
    "turned away": ([fails(400)], 0, Usage()),
}  # fmt: skip


@pytest.mark.parametrize("case", SPENT)
def test_what_is_charged_for(case):
    answers, retries, spent = SPENT[case]
    budget = Budget()
    with serving({"a": list(answers)}) as server:
        generate(server.url, ["a"], budget, max_retries=retries, timeout=1.0)
    assert budget.spent == spent


def test_a_request_that_never_left_costs_nothing():
    budget = Budget()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        assert generate(url, ["a", "a"], budget, max_retries=1) == ["no_connection", "no_connection"]
    assert budget.spent == Usage()


@given(
    limit=st.integers(1, 300),
    requests=st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), max_size=12),
    at_once=st.integers(1, 4),
)
def test_a_budget_is_never_exceeded_and_never_left_unused(limit, requests, at_once):
    """Each request has a most and the share of it that it really costs."""
    budget = Budget(BudgetConfig(max_tokens=limit))

    async def run() -> list[bool]:
        gate, slots = Gate(budget), asyncio.Semaphore(at_once)

        async def one(most: int, share: float) -> bool:
            async with slots:
                admitted = await gate.admit(Usage(most))
                await asyncio.sleep(0)
                if admitted:
                    gate.settle(Usage(most), Usage(int(most * share)))
                return admitted

        return await asyncio.gather(*(one(*request) for request in requests))

    admitted = asyncio.run(run())
    assert admitted == sorted(admitted, reverse=True), "nothing passes behind the first that does not"
    assert budget.spent.total <= limit
    if False in admitted:
        assert budget.spent.total + requests[admitted.index(False)][0] > limit


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_cost": 1.0}, "max_cost: needs prompt_price and completion_price"),
        ({"prompt_price": 1.0}, "give both, or none"),
        ({"max_tokens": 0}, "greater than 0"),
    ],
)
def test_configs_that_limit_nothing_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        BudgetConfig(**given)


@given(
    st.builds(
        BudgetConfig,
        max_tokens=st.none() | st.integers(100, 10**9),
        max_cost=st.none() | st.floats(0.01, 1e6),
        prompt_price=st.just(1.0),
        completion_price=st.just(2.0),
    ),
    st.integers(1, 100),
)
def test_parts_together_may_spend_no_more_than_the_whole(budget, parts):
    part = budget.divided(parts)
    assert (part.max_tokens is None) == (budget.max_tokens is None)
    assert (part.max_cost is None) == (budget.max_cost is None)
    if part.max_tokens is not None:
        assert 0 < part.max_tokens * parts <= budget.max_tokens < (part.max_tokens + 1) * parts
    if part.max_cost is not None:
        assert part.max_cost * parts == pytest.approx(budget.max_cost)
    assert (part.prompt_price, part.completion_price) == (1.0, 2.0)
