"""The pieces that a text of the grammar compiles to; each appends its text to a list."""

from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol

_DISTINCT_TRIES = 12


class Scope:
    """What one conversation has bound so far (`texts[rule][label]`, `rows[table][label]`), and its facts.

    `row` names the labelled table row that is being written: labels that open with "_" belong to it.
    """

    __slots__ = ("facts", "random", "row", "rows", "texts")

    def __init__(self, random: Callable[[], float], facts: dict[str, str]) -> None:
        self.random = random
        self.facts = facts
        self.row = ""
        self.texts: dict[str, dict[str, str]] = {}
        self.rows: dict[str, dict[str, int]] = {}


class Node(Protocol):
    """A piece of compiled text."""

    def emit(self, out: list[str], scope: Scope) -> None:
        """Append this piece's text to `out`."""


class Text:
    """Fixed text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def emit(self, out: list[str], scope: Scope) -> None:
        out.append(self.text)


class Join:
    """Pieces one after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Node]) -> None:
        self.parts = tuple(parts)

    def emit(self, out: list[str], scope: Scope) -> None:
        for part in self.parts:
            part.emit(out, scope)


class Choice:
    """One of several pieces; `weights` are relative and default to equal."""

    __slots__ = ("cumulative", "options", "size")

    def __init__(self, options: Sequence[Node], weights: Sequence[int] = ()) -> None:
        self.options = tuple(options)
        self.cumulative = list(accumulate(weights)) if len(set(weights)) > 1 else []
        self.size = self.cumulative[-1] if self.cumulative else len(self.options)

    def emit(self, out: list[str], scope: Scope) -> None:
        index = int(scope.random() * self.size)
        self.options[bisect(self.cumulative, index) if self.cumulative else index].emit(out, scope)


class Rule:
    """A reference to a rule by name; `grammar.link` fills in the target, so rules may be recursive."""

    __slots__ = ("name", "target")

    def __init__(self, name: str) -> None:
        self.name = name
        self.target: Node = Text("")

    def emit(self, out: list[str], scope: Scope) -> None:
        self.target.emit(out, scope)


class Once:
    """A rule whose text is fixed at its first use under `label`."""

    __slots__ = ("label", "rule")

    def __init__(self, rule: Rule, label: str) -> None:
        self.rule = rule
        self.label = label

    def emit(self, out: list[str], scope: Scope) -> None:
        labels = scope.texts.setdefault(self.rule.name, {})
        label = self.label + scope.row if self.label[0] == "_" else self.label
        if label not in labels:
            taken = set(labels.values())
            for _ in range(_DISTINCT_TRIES):
                text = text_of(self.rule.target, scope)
                if text not in taken:
                    break
            labels[label] = text
        out.append(labels[label])


class Fresh:
    """A rule with bindings of its own."""

    __slots__ = ("rule",)

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def emit(self, out: list[str], scope: Scope) -> None:
        outer = scope.texts, scope.rows
        scope.texts, scope.rows = {}, {}
        self.rule.target.emit(out, scope)
        scope.texts, scope.rows = outer


class Fact:
    """A value that Python computed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def emit(self, out: list[str], scope: Scope) -> None:
        out.append(scope.facts[self.name])


class Table:
    """Rows of cells that belong together, such as a country and its capital."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Node]]) -> None:
        self.columns = tuple(columns)
        self.rows = tuple(tuple(row) for row in rows)


class Cell:
    """A cell of a table: of a random row, or of the row bound to `label`."""

    __slots__ = ("column", "index", "label", "rows", "table")

    def __init__(self, table: str, column: str, label: str) -> None:
        self.table, self.column, self.label = table, column, label
        self.rows: tuple[tuple[Node, ...], ...] = ()
        self.index = 0

    def emit(self, out: list[str], scope: Scope) -> None:
        rows = self.rows
        if not self.label:
            rows[int(scope.random() * len(rows))][self.index].emit(out, scope)
            return
        labels = scope.rows.setdefault(self.table, {})
        label = self.label + scope.row if self.label[0] == "_" else self.label
        if label not in labels:
            taken = set(labels.values())
            for _ in range(_DISTINCT_TRIES):
                row = int(scope.random() * len(rows))
                if row not in taken:
                    break
            labels[label] = row
        outer, scope.row = scope.row, f"{self.table}#{label}"
        rows[labels[label]][self.index].emit(out, scope)
        scope.row = outer


def text_of(node: Node, scope: Scope) -> str:
    """The raw text of a node, before articles and capitals."""
    out: list[str] = []
    node.emit(out, scope)
    return "".join(out)
