"""What must hold between the texts: slots that exist, facts that stand in the right article.

An agent's line may not hold a digit of its own. Numbers come from the facts or from the dialogue, so that an
answer cannot say something else than its article.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Template, has_japanese, slot_names, walk
from data_pipeline.sample.models import Number, Situation

PERSONAL_SLOTS = {
    "first_name": "name",
    "last_name": "name",
    "full_name": "name",
    "email": "email",
    "phone": "phone",
    "address": "address",
    "order": "order_number",
    "tracking": "tracking_number",
    "agent_first": "agent_name",
    "agent_name": "agent_name",
    "colleague": "agent_name",
}
"""Slots that hold personal data, with the kind that the planted truth names."""

OTHER_SLOTS = {
    "title",
    "other_title",
    "volume",
    "next_volume",
    "volumes",
    "publisher",
    "genre",
    "demographic",
    "weekday",
}
"""The other slots that every dialogue fills."""

_ASKED_FOR = {"order", "address", "tracking", "phone"}
"""An agent knows these only where the situation needs them; name and mail address are on every ticket."""


def find_problems(content: Content) -> list[str]:
    """Every disagreement found, as sentences that name the place."""
    return [
        *_duplicates("situation", (situation.name for situation in content.situations)),
        *_duplicates("series", (series.title for series in content.series)),
        *(problem for situation in content.situations for problem in _situation_problems(content, situation)),
        *_aside_problems(content),
        *_article_problems(content),
        *_shared_line_problems(content),
    ]


def customer_lines(situation: Situation) -> Iterator[Template]:
    yield from (*situation.subjects, *situation.openers, *situation.japanese)
    for exchange in situation.clarify:
        yield from exchange.reply
    for follow in situation.follow:
        yield from follow.user


def agent_lines(situation: Situation) -> Iterator[Template]:
    yield from situation.answers
    for exchange in situation.clarify:
        yield from exchange.ask
    for follow in situation.follow:
        yield from follow.agent


def facts_of(content: Content, situation: Situation) -> set[str]:
    """Names of the facts that the agent's lines state, by themselves or through a slot of the situation."""
    slots = _slot_values(situation)
    seen: set[str] = set()
    pending = {name for line in agent_lines(situation) for name in slot_names(line)}
    while pending:
        seen |= pending
        values = [value for slot in pending & slots.keys() for value in slots[slot]]
        pending = {name for value in values for name in _names_in(value)} - seen
    return seen & content.facts.keys()


def _situation_problems(content: Content, situation: Situation) -> Iterator[str]:
    where = f"situation {situation.name}"
    if situation.article not in content.articles:
        yield f"{where}: there is no article '{situation.article}'"
        return
    for need in situation.needs:
        if need not in content.needs:
            yield f"{where}: '{need}' is not in needs.yaml"
    slots = _slot_values(situation)
    known = slots.keys() | OTHER_SLOTS | PERSONAL_SLOTS.keys() | content.facts.keys()
    unknown_to_agent = _ASKED_FOR - set(situation.needs)
    for line in (*customer_lines(situation), *agent_lines(situation)):
        yield from (f"{where}: unknown slot {{{name}}}" for name in sorted(slot_names(line) - known))
    if any(has_japanese(_literal_text(line)) for line in situation.openers):
        yield f"{where}: an opener with Japanese characters belongs to 'japanese'"
    for values in slots.values():
        for name in sorted({name for value in values for name in _names_in(value)} - known):
            yield f"{where}: unknown name {name} in a slot"
    for line in agent_lines(situation):
        for name in sorted(slot_names(line) & unknown_to_agent):
            yield f"{where}: the agent cannot know {{{name}}}"
        yield from _digit_problems(where, line)
    article_facts = slot_names(content.articles[situation.article].body)
    for name in sorted(facts_of(content, situation) - article_facts):
        yield f"{where}: the fact {name} does not stand in the article {situation.article}"


def _aside_problems(content: Content) -> Iterator[str]:
    for number, aside in enumerate(content.asides, start=1):
        where = f"aside {number}"
        if aside.article not in content.articles:
            yield f"{where}: there is no article '{aside.article}'"
            continue
        article_facts = slot_names(content.articles[aside.article].body)
        for line in (*aside.user, *aside.agent):
            known = OTHER_SLOTS | content.facts.keys()
            yield from (f"{where}: unknown slot {{{name}}}" for name in sorted(slot_names(line) - known))
        for line in aside.agent:
            yield from _digit_problems(where, line)
            for name in sorted((slot_names(line) & content.facts.keys()) - article_facts):
                yield f"{where}: the fact {name} does not stand in the article {aside.article}"


def _article_problems(content: Content) -> Iterator[str]:
    used: set[str] = set()
    for article in content.articles.values():
        where, names = f"article {article.id}", slot_names(article.body)
        used |= names
        yield from (f"{where}: unknown fact {{{name}}}" for name in sorted(names - content.facts.keys()))
        without_list_numbers = re.sub(r"(?m)^\d+\. ", "", _literal_text(article.body))
        if re.search(r"\d", without_list_numbers):
            yield f"{where}: a number that is not from the facts"
    yield from (f"facts.yaml: {name} stands in no article" for name in sorted(content.facts.keys() - used))


def _shared_line_problems(content: Content) -> Iterator[str]:
    shared = [line for _, lines in content.phrases for line in lines]
    for need in content.needs.values():
        shared += [*need.inline, *need.ask, *need.reply]
    for mood in content.moods.values():
        shared += [*mood.greeting, *mood.thanks, *mood.unhappy, *mood.lead.question, *mood.lead.problem]
        shared += [*mood.tail.question, *mood.tail.problem]
        shared += [line for _, lines in mood.empathy for line in lines]
    for line in shared:
        for name in sorted(slot_names(line) - OTHER_SLOTS - PERSONAL_SLOTS.keys()):
            yield f"phrases, needs or moods: unknown slot {{{name}}}"


def _slot_values(situation: Situation) -> dict[str, list[Template | Number]]:
    values: dict[str, list[Template | Number]] = {}
    for group in (*situation.cases, situation.slots):
        for name, value in group.items():
            values.setdefault(name, []).append(value)
    return values


def _names_in(value: Template | Number) -> set[str]:
    if isinstance(value, Template):
        return slot_names(value)
    bounds = (value.low, value.high, value.value)
    return {name for bound in bounds for name in re.findall(r"[a-z_][a-z0-9_.]*", str(bound or ""))}


def _digit_problems(where: str, line: Template) -> Iterator[str]:
    if re.search(r"\d", text := _literal_text(line)):
        yield f"{where}: a number that is not from the facts in an agent's line: {text!r}"


def _literal_text(template: Template) -> str:
    return " ".join(part for part in walk(template) if isinstance(part, str))


def _duplicates(what: str, names: Iterable[str]) -> list[str]:
    return [f"{what} '{name}' is there {count} times" for name, count in Counter(names).items() if count > 1]
