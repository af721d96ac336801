"""The knowledge base as an index of statements: sentences, list items, rows of tables, and their claims."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from common.retrieval import Passage
from common.retrieval.words import terms
from data_pipeline.quality.claims import Claim, Names, claims
from data_pipeline.quality.sentences import sentences
from data_pipeline.quality.units import BARE, UNITS

_CONTEXT = 0.4
"""What a word of the title, the bold lead or the table's head counts beside one of the statement."""
_UNKNOWN = 0.5
"""What a word that the knowledge base lacks counts, in shares of the rarest one: typos say little."""

_LEAD = re.compile(r"[-*\d. ]*\*\*(.+?)\*\*")
_RULE = re.compile(r"[|:\s-]+")
_COLUMN_UNIT = re.compile(r"\((\w+)\)")


@dataclass(frozen=True)
class Statement:
    """One sentence of a knowledge base.

    Attributes:
        article: index of its article in `Statements.articles`.
        text: as it stands there.
        context: title, lead and table head above it.
        claims: its quantities and names.
    """

    article: int
    text: str
    context: str
    claims: tuple[Claim, ...]


class Statements:
    """All statements of `passages`, and how like one of them a sentence is.

    Attributes:
        articles: ids in the order of the passages.
        items: the statements in order.
        names: the proper names that stand in them.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.articles = list(dict.fromkeys(passage.article for passage in passages))
        self.names = Names(passage.text for passage in passages)
        self.items = [statement for passage in passages for statement in self._statements(passage)]
        self.article_of = np.array([item.article for item in self.items], dtype=np.intp)
        self._index()

    def _statements(self, passage: Passage) -> Iterator[Statement]:
        title, *lines = passage.text.split("\n")
        article = self.articles.index(passage.article)
        head = ""
        for line in lines:
            if not line.startswith("|"):
                head = ""
                lead = _LEAD.match(line)
                context = f"{title} {lead[1]}" if lead else title
                for sentence in sentences(line):
                    found = tuple(claims(sentence, self.names))
                    yield Statement(article, sentence, context, found)
            elif not head:  # the first row of a table says what stands in its columns
                head = line
            elif not _RULE.fullmatch(line):
                yield Statement(article, line, f"{title} {head}", tuple(_row_claims(head, line, self.names)))

    def _index(self) -> None:
        words = [(set(terms(item.text)), set(terms(item.context))) for item in self.items]
        frequency = Counter(word for own, context in words for word in own | context)
        count = len(self.items)
        self._idf = {word: log(1 + (count - n + 0.5) / (n + 0.5)) for word, n in frequency.items()}
        self._rarest = log(1 + count)
        postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, (own, context) in enumerate(words):
            weights = {word: _CONTEXT * self._idf[word] for word in sorted(context - own)}
            weights |= {word: self._idf[word] for word in sorted(own)}
            length = sqrt(sum(weight**2 for weight in weights.values())) or 1.0
            for word, weight in weights.items():
                postings[word].append((place, weight / length))
        self._postings = {
            word: (np.array([place for place, _ in found]), np.array([weight for _, weight in found]))
            for word, found in postings.items()
        }

    def similarities(self, weights: Mapping[str, float]) -> NDArray[np.float64]:
        """Shape (statements,): cosine of each with a bag of weighted words, by their idf; 0 to 1."""
        scores = np.zeros(len(self.items))
        total = 0.0
        for word, weight in weights.items():
            idf = self._idf.get(word)
            if idf is None:
                total += (_UNKNOWN * self._rarest * weight) ** 2
                continue
            total += (idf * weight) ** 2
            places, of_statement = self._postings[word]
            scores[places] += idf * weight * of_statement
        return scores / sqrt(total) if total else scores


def _row_claims(head: str, row: str, names: Names) -> Iterator[Claim]:
    """Claims of a table's row; a bare number takes the unit that its column's head has in brackets."""
    offset = 0
    for title, cell in zip(head.split("|"), row.split("|"), strict=False):
        unit = UNITS.get(match[1].lower()) if (match := _COLUMN_UNIT.search(title)) else None
        for claim in claims(cell, names):
            moved = replace(claim, start=claim.start + offset, end=claim.end + offset)
            if unit and claim.unit == BARE and claim.number is not None:
                moved = replace(moved, unit=unit[0], value=round(claim.number * unit[1], 6))
            yield moved
        offset += len(cell) + 1
