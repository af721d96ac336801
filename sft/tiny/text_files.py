r"""Load `text/*.yaml` into one linked library of rules, tables and scenarios.

A file has any of these sections; names are global, so files use each other's rules.

    rules:      name: lines of alternatives (grammar.py tells the syntax)
    nouns:      name: "dog | child/children"                  -> table with columns one, many
    verbs:      name: "walk | stop+ | go went gone"           -> table with columns base, s, past, pp, ing
    phrases:    name: lines with <verb.FORM>                  -> table with the five verb columns
    tables:     name: "a b c" in the first line names the columns, then rows of cells separated by " => "
    scenarios:  name: {weight, facts, system, turns, more}

In a block, a line that is indented further continues the line above it. In `turns`, a line is a message
("U: ..." or "A: ..."); an exchange that opens with "U?:" is left out half of the time. `more` holds optional
exchanges in the same notation, of which a few are played in random order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sft.tiny.grammar import parse, parse_rule, split_weight
from sft.tiny.morphology import VERB_FORMS, noun_forms, verb_forms
from sft.tiny.nodes import Cell, Node, Rule, Table

TEXT_FOLDER = Path(__file__).parent / "text"
_SECTIONS = {"rules", "nouns", "verbs", "phrases", "tables", "scenarios"}


@dataclass(frozen=True)
class Exchange:
    """A user message and its answer."""

    user: Node
    assistant: Node
    optional: bool = False


@dataclass(frozen=True)
class Scenario:
    """A kind of conversation; `topic` is the file it is written in."""

    name: str
    topic: str
    weight: int
    facts: str
    system: Node | None
    turns: tuple[Exchange, ...]
    more: tuple[Exchange, ...]


@dataclass
class Library:
    """Everything the text files define, linked."""

    rules: dict[str, Node] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    references: list[Rule | Cell] = field(default_factory=list)

    def add(self, topic: str, sections: dict[str, Any]) -> None:
        """Compile the sections of one file."""
        if unknown := set(sections) - _SECTIONS:
            raise ValueError(f"{topic}.yaml: unknown sections {sorted(unknown)}")
        for name, block in sections.get("rules", {}).items():
            self._new(topic, name)
            self.rules[name] = parse_rule(_logical_lines(block), self.references)
        for name, block in sections.get("nouns", {}).items():
            self._add_table(topic, name, ("one", "many"), [noun_forms(word) for word in _words(block)])
        for name, block in sections.get("verbs", {}).items():
            self._add_table(topic, name, VERB_FORMS, [verb_forms(word) for word in _words(block)])
        for name, block in sections.get("phrases", {}).items():
            self._add_table(topic, name, VERB_FORMS, list(_phrase_rows(block)))
        for name, block in sections.get("tables", {}).items():
            columns, *lines = _logical_lines(block)
            self._add_table(topic, name, columns.split(), list(_rows(lines)))
        for name, fields in sections.get("scenarios", {}).items():
            self.scenarios[name] = self._scenario(topic, name, fields)

    def link(self) -> None:
        """Point every reference to its rule or table."""
        for reference in self.references:
            if isinstance(reference, Rule):
                if reference.name not in self.rules:
                    raise ValueError(f"no rule <{reference.name}>")
                reference.target = self.rules[reference.name]
            else:
                table = self.tables.get(reference.table)
                if table is None or reference.column not in table.columns:
                    raise ValueError(f"no cell <{reference.table}.{reference.column}>")
                reference.rows = table.rows
                reference.index = table.columns.index(reference.column)

    def _new(self, topic: str, name: str) -> None:
        if name in self.rules or name in self.tables:
            raise ValueError(f"{topic}.yaml: {name} is defined twice")

    def _add_table(self, topic: str, name: str, columns: Any, rows: Any) -> None:
        self._new(topic, name)
        if wrong := [row for row in rows if len(row) != len(columns)]:
            raise ValueError(f"{topic}.yaml: {name} has {len(columns)} columns, not so the row {wrong[0]}")
        self.tables[name] = Table(columns, [[parse(cell, self.references) for cell in row] for row in rows])

    def _scenario(self, topic: str, name: str, fields: dict[str, Any]) -> Scenario:
        if unknown := set(fields) - {"weight", "facts", "system", "turns", "more"}:
            raise ValueError(f"{topic}.yaml: scenario {name} has unknown fields {sorted(unknown)}")
        system = fields.get("system")
        return Scenario(
            name=name,
            topic=topic,
            weight=int(fields.get("weight", 1)),
            facts=str(fields.get("facts", "")),
            system=parse_rule(_logical_lines(system), self.references) if system else None,
            turns=tuple(self._exchanges(name, fields["turns"])),
            more=tuple(self._exchanges(name, fields.get("more", ""))),
        )

    def _exchanges(self, name: str, block: str) -> Iterator[Exchange]:
        messages = [line.partition(": ")[::2] for line in _logical_lines(block)]
        roles = "".join(role[0] for role, _ in messages)
        if roles != "UA" * (len(messages) // 2):
            raise ValueError(f"scenario {name}: messages must alternate U: and A:, found {roles}")
        for (role, user), (_, assistant) in zip(messages[::2], messages[1::2], strict=True):
            yield Exchange(parse(user, self.references), parse(assistant, self.references), role == "U?")


def _logical_lines(block: str) -> Iterator[str]:
    """The lines of a block, each joined with the lines below it that are indented further."""
    current = ""
    for line in block.splitlines():
        if line.startswith(" "):
            current += " " + line.strip()
            continue
        if current:
            yield current
        current = line.strip()
    if current:
        yield current


def _words(block: str) -> list[str]:
    return [word.strip() for word in re.split(r"[|\n]", block) if word.strip()]


def _phrase_rows(block: str) -> Iterator[list[str]]:
    for line in _logical_lines(block):
        text, weight = split_weight(line)
        yield from [[text.replace("FORM", form) for form in VERB_FORMS]] * weight


def _rows(lines: list[str]) -> Iterator[list[str]]:
    """Rows of cells; a first cell "a | b | c" without parentheses stands for three rows."""
    for line in lines:
        first, *rest = [cell.strip() for cell in line.split("=>")]
        for key in [first] if "(" in first else first.split("|"):
            yield [key.strip(), *rest]


@cache
def load_library(folder: Path = TEXT_FOLDER) -> Library:
    """All text files of a folder as one library; raises ValueError naming what does not fit together."""
    library = Library()
    for path in sorted(folder.glob("*.yaml")):
        # The C loader reads the files ten times faster; some PyYAML builds come without it.
        sections = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        library.add(path.stem, sections)
    library.link()
    return library
