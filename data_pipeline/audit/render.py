"""The audit as one HTML page without scripts: it loads nothing and runs nothing, whatever a row says."""

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data_pipeline.audit.log_lines import log_lines
from data_pipeline.audit.model import Audit, Cell, Histogram, Lengths, Mix, Removed

_STAGES = {
    "read": "read, without holdouts",
    "clean": "readable conversations",
    "level1": "level 1: length, language, repeats",
    "level2": "level 2: quality",
    "level3": "level 3: diversity (kept)",
}
_REMOVED_IN = {**_STAGES, "clean": "defects: no conversation could be read", "level3": "level 3: diversity"}
_COMPONENTS = {
    "score": "quality score",
    "resolution": "resolution",
    "csat": "customer satisfaction",
    "coherence": "coherence",
    "factuality": "factual accuracy",
    "politeness": "politeness",
    "originality": "originality",
}
_MOST_VALUES = 30
_MOST_TOPICS = 40


def render(audit: Audit) -> str:
    """The text of audit.html. Equal audits give equal pages."""
    return (
        _environment()
        .get_template("audit.html.jinja")
        .render(
            audit=audit,
            stages=_STAGES,
            removed_in=_REMOVED_IN,
            components=_COMPONENTS,
            lines="\n".join(log_lines(audit)),
            removed=removed_by_stage(audit.removed),
            grid=Grid(audit.sampling),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        share_text=lambda share: "–" if share.value is None else percent(share.value),
        number=lambda value: f"{value:,.0f}",
        words=lambda name: name.replace("_", " "),
        mix_rows=mix_rows,
        bin_rows=bin_rows,
        bin_shares=bin_shares,
    )
    environment.globals.update(top_share=top_share, most_values=_MOST_VALUES, most_topics=_MOST_TOPICS)
    return environment


def percent(value: float) -> str:
    """With one decimal everywhere, so that a column of them can be read; a little is not nothing."""
    return "<0.1%" if 0 < value < 0.0005 else f"{100 * value:.1f}%"


def mix_rows(mix: Mix) -> list[tuple[str, int, int]]:
    """(value, before, after), most frequent first."""
    return [(value, rows, mix.after.get(value, 0)) for value, rows in mix.before.items()]


def top_share(rows: list[tuple[str, int, int]], place: int) -> float:
    """The largest share of a column of rows."""
    counts = [int(row[place]) for row in rows]
    return max(counts) / sum(counts) if sum(counts) else 0.0


def bin_rows(lengths: Lengths) -> list[tuple[str, int, int]]:
    """(`from–to`, before, after) of bins of whole numbers, without the empty ones at both ends."""
    bins = lengths.histogram
    names = [
        f"{low:,.0f}" if high - low == 1 else f"{low:,.0f}–{high - 1:,.0f}"
        for low, high in pairwise(bins.edges)
    ]
    names[-1] = f"{bins.edges[-2]:,.0f} and more"
    rows = list(zip(names, bins.before, bins.after, strict=True))
    filled = [index for index, row in enumerate(rows) if row[1]]
    return rows[filled[0] : filled[-1] + 1] if filled else []


def bin_shares(histogram: Histogram) -> list[tuple[float, float]]:
    """Shares of the rows by bin, before and after."""
    before, after = sum(histogram.before) or 1, sum(histogram.after) or 1
    counts = zip(histogram.before, histogram.after, strict=True)
    return [(in_before / before, in_after / after) for in_before, in_after in counts]


def removed_by_stage(removed: list[Removed]) -> dict[str, list[Removed]]:
    """In the funnel's order, as `removed` is."""
    by_stage: dict[str, list[Removed]] = {}
    for reason in removed:
        by_stage.setdefault(reason.stage, []).append(reason)
    return by_stage


class Grid:
    """The sampling's cells as a table: a row a topic, a column a pair of difficulty and sentiment."""

    def __init__(self, cells: list[Cell]) -> None:
        self.difficulties = _in_order({cell.difficulty for cell in cells}, ("easy", "medium", "hard"))
        self.sentiments = _in_order({cell.sentiment for cell in cells}, ("negative", "neutral", "positive"))
        self._cells = {(cell.topic, cell.difficulty, cell.sentiment): cell for cell in cells}
        rows: dict[str, int] = {}
        for cell in cells:
            rows[cell.topic] = rows.get(cell.topic, 0) + cell.before
        self.topics = sorted(rows, key=lambda topic: (-rows[topic], topic))

    def cell(self, topic: str, difficulty: str, sentiment: str) -> Cell | None:
        """None where no row was."""
        return self._cells.get((topic, difficulty, sentiment))

    def total(self, topic: str) -> tuple[int, int]:
        """Rows of a topic, before and after."""
        own = [cell for cell in self._cells.values() if cell.topic == topic]
        return sum(cell.before for cell in own), sum(cell.after for cell in own)


def _in_order(values: set[str], order: tuple[str, ...]) -> list[Any]:
    """In the usual order, and what is unknown behind it."""
    return sorted(values, key=lambda value: (order.index(value) if value in order else len(order), value))
