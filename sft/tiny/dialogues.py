"""General chat conversations, made from the texts beside this module: what the tiny base is pre-trained on.

    from sft.tiny.dialogues import conversation
    conversation(seed=7, index=0)  # [{"role": "user", "content": "..."}, {"role": "assistant", ...}]

A conversation depends only on (seed, index). The texts (`text/*.yaml`) are about everyday things and know
nothing of the example company, so that what the tuned model knows of it comes from fine-tuning.
"""

from bisect import bisect
from functools import cache
from itertools import accumulate
from random import Random

from sft.tiny.facts import make_facts
from sft.tiny.grammar import render
from sft.tiny.nodes import Scope
from sft.tiny.text_files import Exchange, Scenario, load_library

Message = dict[str, str]

MAX_EXCHANGES = 5
_SYSTEM_SHARE = 0.6
_FOLLOW_UP_SHARE = 0.6
_SECOND_SCENARIO_SHARE = 0.25
_GOODBYE_SHARE = 0.2
_LOWERCASE_SHARE = 0.05
_TYPO_SHARE = 0.04


def conversation(seed: int, index: int) -> list[Message]:
    """The conversation number `index` of the stream `seed`.

    Returns:
        An optional system message, then 1 to 5 user/assistant exchanges.
    """
    random = Random(f"{seed}:{index}")
    return converse(_pick_scenario(random), random)


def converse(scenario: Scenario, random: Random) -> list[Message]:
    """A conversation that opens with `scenario` and may go on to another of its topic and to a goodbye."""
    library = load_library()
    scope = Scope(random.random, make_facts(scenario.facts, random, library))
    system = []
    if random.random() < _SYSTEM_SHARE:
        node = scenario.system or library.rules["system_prompt"]
        system = [{"role": "system", "content": render(node, scope)}]
    messages = _play(scenario, scope)
    if len(messages) <= 4 and random.random() < _SECOND_SCENARIO_SHARE:
        second = random.choice(_topics()[scenario.topic])
        if second is not scenario and second.system is None:
            scope.facts = make_facts(second.facts, random, library)
            follow_up = _play(second, scope)
            follow_up[0]["content"] = (
                f"{render(library.rules['change_of_subject'], scope)} {follow_up[0]['content']}"
            )
            messages += follow_up
    if random.random() < _GOODBYE_SHARE:
        pair = random.choice(library.scenarios["goodbye"].turns)
        messages += _messages(pair, scope)
    messages = messages[: 2 * MAX_EXCHANGES]
    for message in messages[::2]:
        message["content"] = _as_typed(message["content"], random)
    return system + messages


def _play(scenario: Scenario, scope: Scope) -> list[Message]:
    random = scope.random
    messages: list[Message] = []
    for exchange in scenario.turns:
        if not exchange.optional or random() < 0.5:
            messages += _messages(exchange, scope)
    more = list(scenario.more)
    while more and random() < _FOLLOW_UP_SHARE:
        messages += _messages(more.pop(int(random() * len(more))), scope)
    return messages


def _messages(exchange: Exchange, scope: Scope) -> list[Message]:
    return [
        {"role": "user", "content": render(exchange.user, scope)},
        {"role": "assistant", "content": render(exchange.assistant, scope)},
    ]


def _as_typed(text: str, random: Random) -> str:
    """The text, now and then as a person in a hurry types it: without capitals, or with swapped letters."""
    chance = random.random()
    if chance < _LOWERCASE_SHARE:
        return text.lower().rstrip(".")
    if chance < _LOWERCASE_SHARE + _TYPO_SHARE:
        words = text.split(" ")
        place = int(random.random() * len(words))
        word = words[place]
        if len(word) > 4 and word.isalpha() and word.islower():
            middle = 1 + int(random.random() * (len(word) - 3))
            words[place] = word[:middle] + word[middle + 1] + word[middle] + word[middle + 2 :]
        return " ".join(words)
    return text


def _pick_scenario(random: Random) -> Scenario:
    scenarios, cumulative = _weighted_scenarios()
    return scenarios[bisect(cumulative, random.random() * cumulative[-1])]


@cache
def _weighted_scenarios() -> tuple[tuple[Scenario, ...], list[int]]:
    scenarios = tuple(scenario for scenario in load_library().scenarios.values() if scenario.weight)
    return scenarios, list(accumulate(scenario.weight for scenario in scenarios))


@cache
def _topics() -> dict[str, list[Scenario]]:
    topics: dict[str, list[Scenario]] = {}
    for scenario in _weighted_scenarios()[0]:
        topics.setdefault(scenario.topic, []).append(scenario)
    return topics
