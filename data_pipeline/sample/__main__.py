"""Make the sample company: the support tickets and the knowledge base of MangaAssist, an online manga shop.

    python -m data_pipeline.sample configs/quickstart/sample.yaml

Writes `tickets.jsonl` (a Zendesk-style export), `unseen_tickets.jsonl` (only situations that the first file
never has), `kb/*.md`, and `truth.jsonl`: what was planted (situation, article, personal data, duplicates),
which no stage reads.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from common import artifacts, console
from common.command import Options, run
from data_pipeline.sample.config import SampleConfig
from data_pipeline.sample.content import load_content
from data_pipeline.sample.generate import Sample
from data_pipeline.sample.kb import render_article
from data_pipeline.sample.models import Content
from data_pipeline.sample.zendesk import Json


def make_sample(config: SampleConfig, options: Options) -> None:
    """Write the artifact of `config`, unless it is there already."""
    recipe = artifacts.Recipe.of("sample", config, inputs={}, code=("data_pipeline/sample",))
    content = load_content()
    console.choice("tickets", config.tickets, f"and {config.unseen_tickets} of situations kept out of them")
    if options.dry_run:
        console.say(f"would write {config.output}")
        return
    if not options.force and artifacts.is_up_to_date(config.output, recipe):
        console.say(f"{config.output} is up to date")
        return
    with artifacts.writing(config.output, recipe) as folder:
        recipe.counts.update(_write(folder, content, config))
    console.run_log("SAMPLE", output=config.output, **recipe.counts)


def _write(folder: Path, content: Content, config: SampleConfig) -> dict[str, int]:
    sample = Sample(content, config.seed, config.duplicate_rate, config.internal_note_rate)
    counts: Counter[str] = Counter()
    with (folder / "truth.jsonl").open("w", encoding="utf-8", newline="\n") as truth_file:
        for name, make, count in (
            ("tickets", sample.ticket, config.tickets),
            ("unseen_tickets", sample.unseen_ticket, config.unseen_tickets),
        ):
            made = console.track(map(make, range(count)), name, total=count, unit="tickets")
            with (folder / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n") as file:
                counts += _write_tickets(made, file, truth_file)
            counts[name] = count
    (folder / "kb").mkdir()
    for article in content.articles.values():
        (folder / "kb" / f"{article.id}.md").write_text(render_article(content, article), encoding="utf-8")
    counts["articles"] = len(content.articles)
    return dict(counts)


def _write_tickets(made: Iterable[tuple[Json, Json]], file: TextIO, truth_file: TextIO) -> Counter[str]:
    counts: Counter[str] = Counter()
    for ticket, truth in made:
        file.write(json.dumps(ticket, ensure_ascii=False) + "\n")
        truth_file.write(json.dumps(truth, ensure_ascii=False) + "\n")
        counts["duplicates"] += truth["duplicate_of"] is not None
        counts["internal_notes"] += truth["internal_notes"]
        counts["personal_data_spans"] += len(truth["pii"])
    return counts


if __name__ == "__main__":
    run(make_sample, SampleConfig, __doc__)
