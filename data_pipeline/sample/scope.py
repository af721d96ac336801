"""What the slots of one dialogue stand for: its customer, agent, series, numbers, and the facts."""

import random
import re
from collections.abc import Sequence

from data_pipeline.sample.checks import PERSONAL_SLOTS, facts_of
from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Piece, Template, expand, plain, tidy
from data_pipeline.sample.models import Number, Series, Situation
from data_pipeline.sample.people import Customer, order_number, tracking_number

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NICK_SHARE = 0.25
"""How often a customer writes a series' nickname instead of its title."""


class Scope:
    """Fills slots. A value is drawn once and stays the same for the whole dialogue.

    `used` holds the names of the facts that the last line said.
    """

    def __init__(
        self,
        content: Content,
        situation: Situation | None,
        customer: Customer,
        rng: random.Random,
        agents: Sequence[str] | None = None,
    ) -> None:
        self._facts = content.facts
        self._rng = rng
        self.used: set[str] = set()
        self.agents = agents or rng.sample(content.people.agents, 2)
        agent, colleague = self.agents
        self._series, other = rng.sample(_series_for(content, situation), 2)
        volume = rng.randrange(1, self._series.volumes)
        personal = {
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "full_name": customer.full_name,
            "email": customer.email,
            "phone": customer.phone,
            "address": customer.address,
            "order": order_number(rng),
            "tracking": tracking_number(rng),
            "agent_first": agent.split()[0],
            "agent_name": agent,
            "colleague": colleague.split()[0],
        }
        others = {
            "title": self._series.title,
            "other_title": other.title,
            "volume": str(volume),
            "next_volume": str(volume + 1),
            "volumes": str(self._series.volumes),
            "publisher": self._series.publisher,
            "genre": self._series.genre,
            "demographic": self._series.demographic,
            "weekday": rng.choice(_WEEKDAYS),
        }
        self.values = {name: [Piece(text, PERSONAL_SLOTS[name])] for name, text in personal.items()}
        self.values |= {name: [Piece(text)] for name, text in others.items()}
        if situation is not None:
            case = rng.choice(situation.cases) if situation.cases else {}
            for name, value in (case | situation.slots).items():
                self.values[name] = self._draw(value)

    def say(self, variants: Sequence[Template], by_customer: bool = False) -> list[Piece]:
        """One of the variants, expanded."""
        return self.expand(self._rng.choice(variants), by_customer)

    def expand(self, template: Template, by_customer: bool = False) -> list[Piece]:
        use_nick = by_customer and self._rng.random() < _NICK_SHARE
        title = self._series.nick if use_nick else self._series.title
        self.values["title"] = [Piece(title)]
        self.used.clear()
        return tidy(expand(template, self._rng, self._fill))

    def misstate(self, fact: str, value: str) -> None:
        """From now on, say `value` wherever a line states the fact."""
        self._facts = {**self._facts, fact: value}

    def text(self, name: str, default: str) -> str:
        return plain(self.values[name]) if name in self.values else default

    def _fill(self, name: str) -> list[Piece]:
        if name in self.values:
            return self.values[name]
        self.used.add(name)
        return [Piece(self._facts[name])]

    def _draw(self, value: Template | Number) -> list[Piece]:
        if isinstance(value, Template):
            return expand(value, self._rng, self._fill)
        if value.value is not None:
            return [Piece(str(self._evaluate(value.value)))]
        low, high = self._evaluate(value.low), self._evaluate(value.high)
        return [Piece(str(self._rng.randint(low, high)))]

    def _evaluate(self, expression: int | str | None) -> int:
        """Names and integers with `+`, `-` and `*`, worked from left to right."""
        tokens = re.findall(r"[a-z_][a-z0-9_.]*|\d+|[-+*]", str(expression))
        result = self._integer(tokens[0])
        for operator, token in zip(tokens[1::2], tokens[2::2], strict=True):
            number = self._integer(token)
            result = {"+": result + number, "-": result - number, "*": result * number}[operator]
        return result

    def _integer(self, token: str) -> int:
        return int(token if token.isdigit() else plain(self._fill(token)))


def _series_for(content: Content, situation: Situation | None) -> Sequence[Series]:
    """All series but those that the agent names: nobody is told to read what they have just read."""
    if situation is None:
        return content.series
    named = {content.facts[name] for name in facts_of(content, situation)}
    return [series for series in content.series if series.title not in named]
