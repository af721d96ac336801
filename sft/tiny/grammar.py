r"""A small text grammar, compiled once and expanded many times.

    (a|b|)         one of the alternatives, here also nothing; parentheses without a bar are ordinary text
    <rule>         the rule, expanded afresh
    <rule#x>       the rule, expanded once a conversation under the label x; other labels get other texts
    <table.col>    a cell of a random row
    <table.col#x>  a cell of the row bound to x
    <rule#_x>      inside a cell of a labelled row: bound for that row, so another row may bind it anew
    <*rule>        the rule in a scope of its own: what it binds is forgotten after it
    <@fact>        a value that Python computed for the scenario
    3* text        (at the start of an alternative of a rule) three times as likely
    \n             a line break
    a(n)           "a" or "an", by the next word

Sentences are capitalised at the end, so a rule may stand anywhere in one.
"""

import re
from collections.abc import Iterable

from sft.tiny.nodes import Cell, Choice, Fact, Fresh, Join, Node, Once, Rule, Scope, Text, text_of

_WEIGHT = re.compile(r"(\d+)\* ")
# An alternative that is empty leaves its spaces and commas behind.
_EXTRA_SPACE = re.compile(r" +(?=[ ,.!?;:\n])|(?<=\n) +|, *(?=[.!?])")
_SENTENCE_START = re.compile(r"(?:^|[.!?]\)? |\n(?:\d+\. |- )?)[\"'(]?([a-z])")
_ARTICLE = re.compile(r"\b([Aa])\(n\)( \W?)(\w+)")
_VOWEL_SOUND = re.compile(
    r"(?!uni(?![nm])|use|usu|uti|eu|one\b|once|ewe)[aeiou]|hour|honest|honour|heir|8|11\b|18\b", re.I
)


def parse(source: str, references: list[Rule | Cell]) -> Node:
    """Compile one text; the references it makes are appended to `references` for linking."""
    options, end = _parse_options(source, 0, references, nested=False)
    if end != len(source):
        raise ValueError(f"unbalanced parenthesis in {source!r}")
    return options[0] if len(options) == 1 else Choice(options)


def parse_rule(lines: Iterable[str], references: list[Rule | Cell]) -> Node:
    """Compile a rule: every line and every bar outside parentheses separates alternatives."""
    weighted = [split_weight(option) for line in lines for option in _split_options(line)]
    options = [parse(text, references) for text, _ in weighted]
    return options[0] if len(options) == 1 else Choice(options, [weight for _, weight in weighted])


def split_weight(option: str) -> tuple[str, int]:
    """The text of an alternative and its weight, which is 1 unless written in front: "3* text"."""
    match = _WEIGHT.match(option)
    return (option[match.end() :], int(match.group(1))) if match else (option, 1)


def _split_options(line: str) -> list[str]:
    depth = 0
    options = [""]
    for char in line:
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            options.append("")
        else:
            options[-1] += char
    return [option.strip() for option in options]


def _parse_options(
    source: str, start: int, references: list[Rule | Cell], nested: bool
) -> tuple[list[Node], int]:
    options: list[Node] = []
    parts: list[Node] = []
    literal: list[str] = []
    position = start

    def close_literal() -> None:
        if literal:
            parts.append(Text("".join(literal).replace("\\n", "\n")))
            literal.clear()

    def close_option() -> None:
        close_literal()
        options.append(parts[0] if len(parts) == 1 else Join(parts))
        parts.clear()

    while position < len(source):
        char = source[position]
        if char == "|":
            close_option()
        elif char == ")" and nested:
            break
        elif char == "(":
            inner, position = _parse_options(source, position + 1, references, nested=True)
            if len(inner) > 1:
                close_literal()
                parts.append(Choice(inner))
            else:
                literal.append("(")
                close_literal()
                parts.extend([inner[0], Text(")")])
        elif char == "<":
            end = source.index(">", position)
            close_literal()
            parts.append(_parse_slot(source[position + 1 : end], references))
            position = end
        else:
            literal.append(char)
        position += 1
    close_option()
    return options, position


def _parse_slot(slot: str, references: list[Rule | Cell]) -> Node:
    if slot.startswith("@"):
        return Fact(slot[1:])
    name, _, label = slot.partition("#")
    if "." in name:
        table, column = name.split(".")
        cell = Cell(table, column, label)
        references.append(cell)
        return cell
    rule = Rule(name.removeprefix("*"))
    references.append(rule)
    if name.startswith("*"):
        return Fresh(rule)
    return Once(rule, label) if label else rule


def render(node: Node, scope: Scope) -> str:
    """The finished text of a node: expanded, with articles chosen and sentences capitalised."""
    text = text_of(node, scope)
    if "a(n)" in text or "A(n)" in text:
        text = _ARTICLE.sub(_with_article, text)
    text = _EXTRA_SPACE.sub("", text.strip())
    return _SENTENCE_START.sub(lambda match: match.group()[:-1] + match.group(1).upper(), text)


def _with_article(match: re.Match[str]) -> str:
    article, gap, word = match.groups()
    return f"{article}{'n' if _VOWEL_SOUND.match(word) else ''}{gap}{word}"
